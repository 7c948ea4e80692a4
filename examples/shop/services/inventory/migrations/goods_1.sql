-- What the shop begins with. Prices are in cents.
insert into "products" ("revision", "sku", "name", "price_amount", "price_currency", "on_hand", "reserved") values
    (1, 'ABC-456', 'Spoon, oak',           350, 'eur', 1000000, 0),
    (1, 'BBC-456', 'Mug, blue',            990, 'eur', 1000000, 0),
    (1, 'CBC-456', 'Tea, black, 100 g',    450, 'eur', 1000000, 0),
    (1, 'POT-001', 'Teapot, cast iron',   7900, 'eur',      12, 0),
    (1, 'SET-012', 'Tea set for twelve', 129900, 'eur',       7, 0);
