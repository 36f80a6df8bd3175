CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(50), country VARCHAR(2), `update` DATE, `Weird Name` VARCHAR(10), body TEXT, FULLTEXT KEY (body));
CREATE TABLE products (id INT PRIMARY KEY, name VARCHAR(50), category VARCHAR(10), price DECIMAL(10, 2), attributes JSON, parent_id INT);
CREATE TABLE orders (id INT PRIMARY KEY, customer_id INT, ordered_at DATETIME, status VARCHAR(10), `delete` INT, total DECIMAL(12, 2), `select` INT, KEY by_total (total));
CREATE TABLE order_items (order_id INT, product_id INT, quantity INT, price DECIMAL(10, 2));
INSERT INTO customers SELECT seq, CONCAT('Customer ', seq), 'DE', '2024-01-01', 'w', 'the quick brown fox' FROM seq_1_to_30;
INSERT INTO products SELECT seq, CONCAT('Product ', seq), 'c1', seq * 1.5, '{"color": "red", "sizes": [1, 2]}', seq - 1 FROM seq_1_to_20;
INSERT INTO orders SELECT seq, seq % 30 + 1, '2024-01-01' + INTERVAL seq DAY, 'paid', 0, seq * 10, seq FROM seq_1_to_100;
INSERT INTO order_items SELECT seq % 100 + 1, seq % 20 + 1, seq % 5, seq FROM seq_1_to_300;
