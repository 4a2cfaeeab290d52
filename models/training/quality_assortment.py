"""Make up a small assortment of goods, names and words that the given catalogues may lack.

A model that only ever saw shirts and software takes a cheese for another language and a film for a
remark. These clean titles are for training only; nothing is measured on them.
"""

from models.quality.defect import ItemText
from models.training.garble import Rng, pick
from models.training.quality_catalogue import TrainingCatalogue
from models.training.quality_goods import GOODS

NAME = "assortment"
SYNONYMS = {
    "apparel": (
        "Clothing, Clothes, Fashion, Wear, Garments, men's clothing, Womenswear, Menswear, "
        "Outfits, Textiles, Ladies, Gents"
    ),
    "topwear": "Tops, Shirts & Tops, Upper Wear, Knitwear, T-Shirts & Polos, Jerseys, mens-shirts",
    "bottomwear": "Trousers & Shorts, Pants, Bottoms, Legwear, Denim",
    "innerwear": "Underwear, Lingerie, Intimates, Hosiery",
    "footwear": "Shoes, Shoes & Boots, Sneakers & Shoes, mens-shoes, Foot Wear",
    "accessories": "Fashion Accessories, Extras, Add-ons, Lifestyle, Essentials, Small Leather Goods",
    "bag": "Bags & Luggage, Luggage, Carry, Travel Goods, Packs, womens-bags",
    "watche": "Timepieces, Wrist Wear, Clocks & Watches, mens-watches",
    "jewellery": "Jewelry, Jewelery, Rings & Chains, Adornments",
    "personal": "Beauty & Grooming, Cosmetics, Toiletries, Skin & Body, Grooming",
    "grocery": "Groceries, Food, Food Cupboard, Supermarket, Fresh Food, Deli, Delicatessen, Gourmet",
    "dairy": "Dairy Products, Milk & Cheese, Chilled", "bakery": "Bread & Cakes, Baked Goods, Grains/Cereals",
    "drink": "Beverages, Drinks & Juices, Soft Drinks, Wine & Spirits, Alcohol, Refreshments",
    "pantry": "Condiments, Cooking Ingredients, Staples, Spices & Sauces, Dry Goods",
    "meat": "Seafood, Meat/Poultry, Butcher, Fishmonger", "fruit": "Produce, Greengrocer, Fresh Produce",
    "confectionery": (
        "Sweets, Candy, Snacks, Confections, Chocolate"
    ), "beauty": "Cosmetics, Skin Care, Makeup, beauty-products",
    "fragrance": "Perfumes, Scents, fragrances", "health": "Pharmacy, Wellness, Medical, Drugstore, Personal Care",
    "baby": "Infants, Nursery, Mother & Baby, Kids", "toy": "Games, Kids' Play, Hobbies, Children, Playtime",
    "book": (
        "Literature, Reading, Fiction, Paperbacks, Media"
    ), "music": "CDs & Vinyl, DVD, Movies, Entertainment, TV Series",
    "office": "Stationery, Writing, Paper Goods, Office Supplies, Desk, School Supplies",
    "electronics": (
        "Gadgets, Technology, Tech, Devices, Consumer Electronics, Hi-Tech"
    ), "phone": "smartphones, Mobile, mobile-accessories",
    "computers": "laptops, PC, IT Hardware, Peripherals, Components", "camera": "Photography, Photo & Video, Optics",
    "audio": (
        "Sound, Hi-Fi, Music Gear"
    ), "kitchen": "Kitchenware, Drinkware, Tableware, Cookware, Dining, kitchen-accessories, Housewares",
    "home": (
        "Household, Homeware, Living, House, Interior, home-decoration, Home Decor"
    ), "furniture": "Furnishings, Rooms, Seating, Storage",
    "lighting": (
        "Lamps & Lights, Decor, Ornaments, Gifts"
    ), "diy": "Hardware, Tools & Home Improvement, Workshop, Building Supplies",
    "garden": "Outdoor, Patio, Lawn & Garden, Plants", "automotive": "Car Parts, Motoring, Vehicles, Auto, Car Care",
    "sport": (
        "Outdoors, Fitness, Sporting Goods, Athletics, Cycling, sports-accessories, Leisure"
    ), "pet": "Pet Supplies, Animals, Pet Care",
    "gift": (
        "Vouchers, Gift Vouchers, Prepaid Cards, Presents"
    ), "appliances": "White Goods, Household Appliances, Small Appliances",
}  # fmt: skip
# Categories that may hold anything.
ANYTHING = (
    "Accessories", "New Arrivals", "Sale", "Other", "Miscellaneous", "Gifts", "All Products", "Kits", "Bestsellers",
    "Collection", "Featured", "Shop", "Clearance", "General", "Uncategorised", "Products", "Catalogue", "Seasonal",
    "Summer Collection", "Bundles", "Sets", "Marketplace", "Department 12", "C-1043", "Misc.", "Exclusive",
    "Merchandise", "Campus Collection", "Novelties", "Home page", "Brands", "Offers", "Specials", "Souvenirs",
    "Lifestyle", "Christmas",
)  # fmt: skip
DESCRIBED = (
    "organic", "classic", "small", "large", "mini", "deluxe", "vintage", "soft", "smart", "cordless",
    "folding", "extra strong", "handmade", "portable", "red", "blue", "white", "green", "black",
    "stainless steel", "wooden", "cotton", "glass", "unscented", "light", "fresh", "frozen", "spicy",
    "original", "professional", "kids", "women's", "men's", "spare", "waterproof",
)  # fmt: skip
MEASURES = (
    "500 g",
    "1 L",
    "250ml",
    "6 Pack",
    "Size 42",
    "XL",
    "30 cm",
    "2 kg",
    "x 12",
    "(3-Pack)",
    "No. 7",
    "100 Tablets",
    "64 GB",
    "12 V",
    "1.5 m",
    "48",
    "A4",
    "2-in-1",
    "75 cl",
)
SURNAMES = (
    "Anders", "Moretti", "Okafor", "Lindqvist", "Delacroix", "Tanaka", "Kowalski", "Baumgarten",
    "O'Malley", "Fernández", "Novák", "Rasmussen", "Petrov", "Di Stefano", "Van Houten", "St. Clair",
    "McTavish", "Yilmaz", "Nakamura", "Bélanger", "Schönfeld", "Castellano", "Ibarra", "Papadakis",
    "Haddad",
)  # fmt: skip
BORROWED = (
    "au Chocolat", "al Forno", "di Parma", "de Luxe", "El Camino", "La Belle", "Bon Appétit", "Teriyaki",
    "Kimchi", "Jalapeño", "Rooibos", "Dulce de Leche", "Crème Brûlée", "Gnocchi", "Sauerkraut", "Wasabi",
    "Halloumi", "Tikka Masala", "Fleur de Sel", "Chai", "Rioja", "Prosecco", "Feng Shui", "Ikebana",
    "Déjà Vu", "Café", "Hygge", "Noir", "Rosé", "Matcha", "Smørrebrød", "Pastel de Nata",
)  # fmt: skip
STARTS, MIDDLES, ENDS = (
    (
        "Ka",
        "Ve",
        "Zo",
        "Mi",
        "Lu",
        "Bra",
        "Tre",
        "Sta",
        "No",
        "Xe",
        "Fi",
        "Dro",
        "Qua",
        "Pha",
        "Ski",
        "Ha",
        "O",
        "E",
    ),
    ("ra", "lo", "ni", "ve", "do", "sta", "mi", "ro", "ku", "ti", "xa", "be"),
    ("x", "n", "tek", "va", "lia", "ro", "son", "ware", "do", "s", "ta", "nix", "mo", "ly", "fy", "ster"),
)


def other_name_of(category: str, rng: Rng) -> str:
    """Return what another shop might call the category.

    Returns the category itself if no other name is known.
    """
    lowered = category.lower()
    keys = [key for key in SYNONYMS if key in lowered]
    return pick(rng, SYNONYMS[pick(rng, keys)].split(", ")) if keys else category


def invented_name(rng: Rng) -> str:
    """Return a name that looks like a brand and is in no dictionary."""
    middle = "".join(pick(rng, MIDDLES) for _ in range(int(rng.integers(0, 3))))
    return pick(rng, STARTS) + middle + pick(rng, ENDS)


def assortment(rng: Rng, count: int) -> TrainingCatalogue:
    """Make `count` titles with their categories; some have a brand, and some titles begin with
    theirs.
    """
    goods = [(category, name.strip()) for category, names in GOODS.items() for name in names.split(",")]
    return TrainingCatalogue(NAME, tuple(dict.fromkeys(_entry(goods, rng) for _ in range(count))))


def _entry(goods: list[tuple[str, str]], rng: Rng) -> ItemText:
    category, name = goods[int(rng.integers(len(goods)))]
    title = name if rng.random() < 0.45 else f"{pick(rng, DESCRIBED)} {name}"
    brand = invented_name(rng) if rng.random() < 0.5 else pick(rng, SURNAMES)
    branded = rng.random()
    if branded < 0.3:
        title = f"{brand} {title}"
    elif branded < 0.4:
        title = f"{pick(rng, SURNAMES)}'s {title}"
    if rng.random() < 0.15:
        title = f"{title} {pick(rng, BORROWED)}" if rng.random() < 0.6 else f"{pick(rng, BORROWED)} {title}"
    if rng.random() < 0.35:
        title = f"{title} {pick(rng, MEASURES)}"
    shown = title if rng.random() < 0.3 else " ".join(word[:1].upper() + word[1:] for word in title.split())
    return ItemText(shown, category, brand if branded < 0.3 and rng.random() < 0.8 else "")
