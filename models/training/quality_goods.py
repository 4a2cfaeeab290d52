"""List kinds of goods for the made-up assortment: names by category, separated by commas."""

GOODS = {
    "Grocery > Dairy": (
        "whole milk, salted butter, cheddar cheese, greek yoghurt, manchego, gorgonzola, double "
        "cream, mozzarella balls, feta, cottage cheese, gouda slices"
    ),
    "Grocery > Bakery": (
        "sourdough loaf, plain bagels, croissants, rye bread, tortilla wraps, cinnamon buns, "
        "crispbread, naan, brioche rolls, pita"
    ),
    "Grocery > Drinks": (
        "orange juice, sparkling water, ground coffee, green tea, cola, oat drink, lemonade, "
        "tomato juice, pale ale, pinot noir, lager, masala tea, stout, ginger beer"
    ),
    "Grocery > Pantry": (
        "basmati rice, spaghetti, olive oil, black beans, corn flakes, tomato ketchup, soy sauce,"
        " maple syrup, sea salt, peanut butter, strawberry jam, chilli sauce, miso paste, "
        "couscous"
    ),
    "Grocery > Meat and Fish": (
        "chicken breast, minced beef, salmon fillet, smoked ham, tuna chunks, prawns, turkey "
        "slices, pork sausages, sardines in oil, chorizo, prosciutto, herring"
    ),
    "Grocery > Fruit and Vegetables": (
        "bananas, gala apples, cherry tomatoes, carrots, baby spinach, red onions, avocado, "
        "lemons, broccoli, sweet potatoes, grapes, celery, mango"
    ),
    "Confectionery": (
        "dark chocolate bar, wine gums, liquorice, salted caramel fudge, mint drops, chocolate "
        "truffles, marzipan, lollipops, shortbread, wafers, nougat"
    ),
    "Beauty > Make-up": (
        "lip gloss, mascara, eyeliner pencil, foundation, blush, nail varnish, concealer, brow "
        "gel, setting powder, eye shadow"
    ),
    "Beauty > Hair Care": (
        "shampoo, conditioner, hair repair mask, dry shampoo, hair spray, argan oil, curl cream, "
        "hair dye, damage repair serum"
    ),
    "Beauty > Fragrance": (
        "eau de parfum, eau de toilette, body mist, aftershave, cologne, perfume gift set, "
        "bergamot scent, roll-on perfume"
    ),
    "Health": (
        "vitamin c tablets, plasters, hand sanitiser, toothpaste, electric toothbrush, ovulation "
        "test kit, ear thermometer, cough syrup, blood pressure monitor, eye test chart"
    ),
    "Baby": (
        "nappies, baby wipes, dummy clip, feeding bottle, teething ring, baby carrier, changing "
        "mat, crib sheet, pushchair"
    ),
    "Toys and Games": (
        "jigsaw puzzle, building blocks, doll's house, board game, playing cards, plush bear, "
        "kite, yo-yo, remote control car, who dunnit game, marble run, question cards"
    ),
    "Books": (
        "the lost garden, a history of rome, where the river ends, who killed the king, missing "
        "persons, found at sea, broken promises, test your grammar, the stolen letter, cookery "
        "for beginners, poems, what now, to be continued, atlas of the world, unknown soldier"
    ),
    "Music and Film": (
        "greatest hits, live in berlin, symphony no. 5, the returned season 2, dirty business, "
        "blues collection, love songs, wanted dead, gone tomorrow, requiem, goodbye, the count"
    ),
    "Office": (
        "ballpoint pens, box file, label maker, sticky notes, stapler, whiteboard, order pad, "
        "stock book, return labels, invoice book, desk organiser, ring binder, checklist notepad,"
        " correction tape"
    ),
    "Electronics > Audio": (
        "wireless earbuds, bluetooth speaker, turntable, soundbar, headphones, microphone, "
        "amplifier, radio alarm clock"
    ),
    "Electronics > Phones": (
        "smartphone, phone case, screen protector, charging cable, power bank, car phone holder, "
        "wireless charger, sim adapter"
    ),
    "Electronics > Computers": (
        "laptop, mechanical keyboard, gaming mouse, monitor, external hard drive, solid state "
        "drive, graphics card, usb hub, router, memory module"
    ),
    "Electronics > Cameras": (
        "mirrorless camera, zoom lens, tripod, camera bag, memory card, action camera, flash "
        "unit, lens cap"
    ),
    "Home > Kitchen": (
        "frying pan, stock pot, chef's knife, chopping board, measuring cups, coffee grinder, "
        "toaster, kettle, salad bowl, rolling pin, cheese grater, whisk, storage jar"
    ),
    "Home > Furniture": (
        "bookcase, dining table, armchair, bedside cabinet, wardrobe, office chair, bar stool, "
        "coffee table, chest of drawers, corner sofa, mattress, washbasin cabinet"
    ),
    "Home > Textiles": (
        "duvet cover, bath towel, curtain, throw, cushion, fitted sheet, table cloth, rug, pillow"
    ),
    "Home > Lighting and Decoration": (
        "floor lamp, scented candle, wall clock, picture frame, vase, fairy lights, mirror, "
        "wreath, photo album, bunting"
    ),
    "DIY > Tools": (
        "cordless drill, claw hammer, screwdriver set, spirit level, tape measure, circular saw, "
        "sanding sheets, work gloves, masking tape, stock fence pliers, check valve"
    ),
    "Garden": (
        "lawn mower, watering can, rose seeds, garden hose, plant pot, hedge shears, compost, "
        "bird feeder, parasol, trowel"
    ),
    "Automotive": (
        "engine oil, wiper blades, car battery, brake pads, floor mats, spark plug, tyre "
        "inflator, headlight bulb, roof box, tow rope, coupe"
    ),
    "Sports": (
        "yoga mat, tennis balls, football, dumbbells, cycling helmet, bike chain, inner tube, "
        "tent, sleeping bag, fishing rod, goggles, hockey stick, handlebar"
    ),
    "Pets": (
        "dry cat food, dog lead, bird seed, aquarium filter, cat litter, chew toy, hamster cage, "
        "puppy pads"
    ),
    "Jewellery": (
        "silver necklace, gold hoop earrings, charm bracelet, signet ring, pearl studs, anklet, "
        "brooch"
    ),
    "Clothing": (
        "rain jacket, wool jumper, slim jeans, linen shirt, ankle socks, silk scarf, pyjamas, "
        "swim shorts, leather belt, check shirt, evening dress, fleece vest, beanie"
    ),
    "Shoes": (
        "running shoes, ankle boots, sandals, slippers, loafers, wellington boots, football "
        "boots, ballet flats"
    ),
    "Bags": "backpack, tote bag, suitcase, wallet, laptop sleeve, gym bag, handbag, wash bag",
    "Gift Cards": (
        "gift card, e-gift voucher, spa day voucher, birthday gift card, streaming gift card, "
        "experience voucher"
    ),
}  # fmt: skip
