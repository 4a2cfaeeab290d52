# ruff: noqa: RUF001 - this file needs words of other scripts
"""Make titles in other languages than the catalogue's (English), from short word lists."""

from models.training.garble import Rng, pick

LATIN = {
    "de": (
        "Herren Damen Kinder Jacke Schuhe Hemd Tasche Tasse Becher Teller Lampe Tisch Stuhl "
        "Kissen Decke Uhr Kabel Drucker Kopfhörer Geschenk schwarz weiß blau rot grün groß klein "
        "mit für aus und Stück Holz Baumwolle Leder Küche Garten wasserdicht Gutschein "
        "Weihnachten Schlüssel "
        "Schokolade Brot Brötchen Milch Käse Wurst Schinken Hähnchen Rindfleisch Gemüse Kartoffeln Zwiebeln "
        "Erdbeeren Kirschen Apfelsaft Wasser Bier Wein Gewürz Pfeffer Salz Nudeln Kuchen Suppe Salat gebraten "
        "frisch Fahrrad Schrank Regal Bett Handtuch Vorhang Teppich Spielzeug Puppe Buch Roman Zeitschrift Stift "
        "Heft Rucksack Koffer Gürtel Mütze Schal Handschuhe Unterwäsche Hose Kleid Rock Bluse Pullover Hammer "
        "Schraube Bohrmaschine Farbe Werkzeug Reinigungsmittel Waschmaschine Kühlschrank Staubsauger Fernseher "
        "Rechner Ladegerät Halterung "
    ),
    "fr": (
        "homme femme enfant veste chaussures chemise sac tasse assiette lampe table chaise "
        "coussin couverture montre câble imprimante casque cadeau noir blanc bleu rouge vert "
        "grand petit avec pour en et lot de bois coton cuir cuisine jardin étanche carte-cadeau "
        "Noël boîte pièces "
        "chocolat pain lait fromage jambon poulet bœuf légumes pommes oignons fraises cerises jus eau bière vin "
        "épices poivre sel pâtes gâteau soupe salade grillé frais farine beurre œufs crème miel confiture vélo "
        "armoire étagère lit serviette rideau tapis jouet poupée livre roman stylo cahier valise ceinture bonnet "
        "écharpe gants pantalon robe jupe pull marteau vis perceuse peinture outil lessive frigo aspirateur "
        "téléviseur ordinateur chargeur support générique artisanal pratique du au des les sur à "
    ),
    "es": (
        "hombre mujer niños chaqueta zapatos camisa bolso taza plato lámpara mesa silla cojín "
        "manta reloj cable impresora auriculares regalo negro blanco azul rojo verde grande "
        "pequeño con para de y juego madera algodón cuero cocina jardín impermeable tarjeta "
        "Navidad caja piezas "
        "chocolate pan leche queso jamón pollo carne verduras patatas cebollas fresas cerezas zumo agua cerveza "
        "vino especias pimienta sal pasta pastel sopa ensalada fresco harina mantequilla huevos miel bicicleta "
        "armario estante cama toalla cortina alfombra juguete muñeca libro novela bolígrafo cuaderno maleta "
        "cinturón gorro bufanda guantes pantalones vestido falda jersey martillo tornillo taladro pintura "
        "herramienta lavadora nevera aspiradora ordenador cargador soporte artesanal práctico del los las sobre "
    ),
    "it": (
        "uomo donna bambini giacca scarpe camicia borsa tazza piatto lampada tavolo sedia cuscino "
        "coperta orologio cavo stampante cuffie regalo nero bianco blu rosso verde grande piccolo "
        "con per di e set legno cotone pelle cucina giardino impermeabile buono Natale scatola "
        "pezzi "
        "cioccolato pane latte formaggio prosciutto pollo manzo verdure patate cipolle fragole ciliegie succo "
        "acqua birra vino spezie pepe sale torta zuppa insalata fresco farina burro uova miele bicicletta armadio "
        "scaffale letto asciugamano tenda tappeto giocattolo bambola libro romanzo penna quaderno valigia cintura "
        "cappello sciarpa guanti pantaloni vestito gonna maglione martello vite trapano vernice attrezzo della "
        "degli "
    ),
    "nl": (
        "heren dames kinderen jas schoenen overhemd tas mok bord lamp tafel stoel kussen deken "
        "horloge kabel koptelefoon cadeau zwart wit blauw rood groen groot klein met voor van en "
        "stuks hout katoen leer keuken tuin waterdicht cadeaubon Kerstmis doos sleutelhanger "
        "chocolade brood melk kaas ham kip rundvlees groenten aardappelen uien aardbeien kersen sap water bier "
        "wijn kruiden peper zout taart soep salade vers meel boter eieren honing fiets kast plank bed handdoek "
        "gordijn tapijt speelgoed pop boek roman pen schrift koffer riem muts sjaal handschoenen broek jurk rok "
        "trui hamer schroef boor verf gereedschap het een van de "
    ),
    "pt": (
        "homem mulher crianças casaco sapatos camisa bolsa caneca prato lâmpada mesa cadeira "
        "almofada cobertor relógio cabo impressora fones presente preto branco azul vermelho "
        "verde com para de e conjunto madeira algodão couro cozinha jardim cartão Natal caixa "
        "peças "
        "chocolate pão leite queijo presunto frango carne legumes batatas cebolas morangos cerejas sumo água "
        "cerveja vinho especiarias pimenta sal bolo sopa salada fresco farinha manteiga ovos mel bicicleta "
        "armário prateleira toalha cortina tapete brinquedo boneca livro romance caderno mala cinto gorro luvas "
        "calças vestido saia camisola martelo parafuso tinta ferramenta do da "
    ),
    "pl": (
        "męska damska dziecięca kurtka buty koszula torba kubek talerz lampa stół krzesło "
        "poduszka koc zegarek kabel drukarka słuchawki prezent czarny biały niebieski czerwony "
        "zielony duży mały z dla i zestaw drewno bawełna skóra kuchnia ogród wodoodporny karta "
        "sztuk "
        "czekolada chleb mleko ser szynka kurczak wołowina warzywa ziemniaki cebula truskawki wiśnie sok woda "
        "piwo wino przyprawy pieprz sól ciasto zupa sałatka świeży mąka masło jajka miód rower szafa półka łóżko "
        "ręcznik zasłona dywan zabawka lalka książka powieść długopis zeszyt walizka pasek czapka szalik "
        "rękawiczki spodnie sukienka spódnica sweter młotek śruba wiertarka farba narzędzie "
    ),
    "sv": (
        "herr dam barn jacka skor skjorta väska mugg tallrik lampa bord stol kudde filt klocka "
        "kabel skrivare hörlurar present svart vit blå röd grön stor liten med för och trä bomull "
        "läder kök trädgård vattentät presentkort jul låda stycken "
        "choklad bröd mjölk ost skinka kyckling nötkött grönsaker potatis lök jordgubbar körsbär saft vatten öl "
        "vin kryddor peppar salt kaka soppa sallad färsk mjöl smör ägg honung cykel skåp hylla säng handduk "
        "gardin matta leksak docka bok roman penna häfte resväska bälte mössa halsduk handskar byxor klänning "
        "kjol tröja hammare skruv borr färg verktyg "
    ),
    "tr": (
        "erkek kadın çocuk ceket ayakkabı gömlek çanta kupa tabak lamba masa sandalye yastık "
        "battaniye saat kablo yazıcı kulaklık hediye siyah beyaz mavi kırmızı yeşil büyük küçük "
        "ile için ve ahşap pamuk deri mutfak bahçe su geçirmez kutu adet "
    ),
    "id": (
        "pria wanita anak jaket sepatu kemeja tas cangkir piring lampu meja kursi bantal selimut "
        "jam kabel pencetak hadiah hitam putih biru merah hijau besar kecil dengan untuk dan kayu "
        "katun kulit dapur taman tahan air kartu kotak murah buah "
    ),
}
OTHER = {
    "ru": (
        "мужская женская детская куртка обувь рубашка сумка кружка тарелка лампа стол стул "
        "подушка часы кабель подарок черный белый синий для с набор "
    ),
    "el": (
        "ανδρικό γυναικείο παιδικό μπουφάν παπούτσια πουκάμισο τσάντα κούπα πιάτο λάμπα τραπέζι "
        "καρέκλα ρολόι δώρο μαύρο λευκό μπλε με για σετ "
    ),
    "ar": ("رجالي نسائي أطفال سترة حذاء قميص حقيبة كوب طبق مصباح طاولة كرسي وسادة ساعة هدية أسود أبيض أزرق مع "),
    "he": ("גברים נשים ילדים מעיל נעליים חולצה תיק ספל צלחת מנורה שולחן כיסא כרית שעון מתנה שחור לבן כחול עם "),
    "zh": (
        "男士 女士 儿童 外套 鞋子 衬衫 包包 杯子 盘子 台灯 "
        "桌子 椅子 枕头 手表 礼物 黑色 白色 蓝色 正品 包邮 新款 夏季 加厚 套装 "
        "巧克力 面包 牛奶 奶酪 火腿 鸡肉 牛肉 蔬菜 土豆 洋葱 草莓 樱桃 果汁 啤酒 葡萄酒 胡椒 盐 面条 蛋糕 汤 "
        "沙拉 新鲜 面粉 黄油 鸡蛋 蜂蜜 自行车 衣柜 书架 床 毛巾 窗帘 地毯 玩具 书 笔 行李箱 腰带 帽子 围巾 "
        "手套 裤子 裙子 毛衣 工具 洗衣机 冰箱 电脑 充电器 支架 "
    ),
    "ja": (
        "メンズ レディース キッズ ジャケット 靴 シャツ バッグ マグカップ 皿 "
        "ランプ テーブル 椅子 時計 ギフト 黒 白 青 セット 送料無料 "
    ),
    "ko": ("남성 여성 아동 재킷 신발 셔츠 가방 머그컵 접시 램프 테이블 의자 시계 선물 검정 흰색 파랑 세트 "),
    "hi": ("पुरुष महिला बच्चे जैकेट जूते शर्ट बैग कप प्लेट लैंप मेज कुर्सी घड़ी उपहार काला सफेद नीला सेट "),
    "th": ("ผู้ชาย ผู้หญิง เด็ก เสื้อ รองเท้า กระเป๋า แก้ว จาน โคมไฟ โต๊ะ เก้าอี้ นาฬิกา ของขวัญ สีดำ สีขาว "),
}
# JOINED: languages that write two nouns as one word. ELIDED: those that tie an article to the next
# word.
JOINED, ELIDED = frozenset({"de", "nl", "sv"}), frozenset({"fr", "it"})
ARTICLES = ("d'", "l'")
ALL = tuple((name, tuple(words.split())) for name, words in (*LATIN.items(), *OTHER.items()))
LATIN_COUNT = len(LATIN)


def foreign_title(text: str, rng: Rng) -> str:
    """Return a title in another language.

    The first word and a number may stay, as brands and models do.
    """
    latin = rng.random() < 0.75
    spot = int(rng.integers(LATIN_COUNT)) if latin else int(rng.integers(LATIN_COUNT, len(ALL)))
    language, words = ALL[spot]
    words_drawn = [_word(language, words, rng) for _ in range(int(rng.integers(2, 9)))]
    own = text.split()
    if own and rng.random() < 0.4:
        words_drawn.insert(0, own[0])
    if rng.random() < 0.25:
        words_drawn.append(str(int(rng.integers(1, 500))) + pick(rng, ("", " cm", " ml", " x 2", "er")))
    return " ".join(words_drawn)


def _word(language: str, words: tuple[str, ...], rng: Rng) -> str:
    drawn = pick(rng, words)
    if language in JOINED and rng.random() < 0.2:
        return drawn + pick(rng, words).lower()
    return pick(rng, ARTICLES) + drawn if language in ELIDED and rng.random() < 0.1 else drawn


FOREIGN = {"foreign_title": foreign_title}
