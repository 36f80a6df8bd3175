SELECT 'abc' % 'abd', similarity('a', 'a'), 'a' <-> 'a', 'a' <% 'a', 'a' %> 'a', 'a' <<-> 'a', 'a' <->> 'a'
SELECT 'a' <<% 'a', 'a' %>> 'a', 'a' <<<-> 'a', 'a' <->>> 'a', show_trgm('a'), strict_word_similarity('a', 'b')
SELECT 'a=>1'::hstore -> 'a', 'a=>1'::hstore ? 'a', 'a=>1'::hstore ?& ARRAY['a'], 'a=>1'::hstore || 'b=>2'
SELECT %% 'a=>1'::hstore, %# 'a=>1'::hstore, akeys('a=>1'), delete('a=>1'::hstore, 'a'), (each('a=>1'::hstore)).key
SELECT 'a.b'::ltree <@ 'a', 'a.b'::ltree ~ '*.b'::lquery, 'a.b'::ltree @ 'a & b'::ltxtquery, 'a.b'::ltree ? '{a.*}'::lquery[]
SELECT subpath('a.b.c', 0, 2), nlevel('a.b'), lca('a.b', 'a.c'), ltree 'a' || 'b', 'a.b'::ltree ^<@ 'a'
SELECT 'A'::citext = 'a', citext 'x', regexp_match('A'::citext, 'a')
SELECT '{1,2}'::int[] & '{2}', '{1}'::int[] | 2, # '{1,2}'::int[], '{1}'::int[] @@ '1', query_int '1' ~~ '{1}'::int[]
SELECT sort('{2,1}'::int[]), uniq('{1,1}'::int[]), idx('{1,2}'::int[], 2)
SELECT cube(1), CUBE (ARRAY[1,2]) ~> 1, cube '(1)' <#> '(2)'::cube, cube(1) <=> cube(2), CAST('(1)' AS cube)
SELECT a, count(*) FROM (VALUES (1)) t(a) WHERE cube(a) @> cube(1) GROUP BY CUBE (a) ORDER BY cube(a) <-> cube(1)
SELECT earth_distance(ll_to_earth(1, 2), ll_to_earth(1, 2)), point(1, 2) <@> point(1, 2)
SELECT soundex('a'), levenshtein('a', 'b'), dmetaphone('a'), unaccent('é'), isbn('978-0-393-04002-9'), seg '1 .. 2'
SELECT digest('a', 'sha256'), crypt('a', gen_salt('bf', 4)), pgp_sym_decrypt(pgp_sym_encrypt('x', 'k'), 'k')
SELECT uuid_generate_v4(), uuid_generate_v5(uuid_ns_url(), 'x'), gen_random_bytes(2), (SELECT count(*) FROM normal_rand(2, 0, 1))
SELECT ST_X(g), ST_AsText(g), ST_SRID(g), geometry('POINT(1 2)'), geography 'POINT(1 2)', g::geometry(Point) FROM (SELECT ST_SetSRID(ST_MakePoint(1, 2), 4326) AS g) q
SELECT g && g, g ~ g, g @ g, g ~= g, g <#> g, g <-> g, g <<| g, g |&> g, g &&& g, g <<->> g FROM (SELECT 'POINT(1 2)'::geometry AS g) q
SELECT (ST_Dump(g)).geom, (ST_Dump(g)).path, ST_Extent(g), ST_AsGeoJSON(g)::json FROM (SELECT 'MULTIPOINT(1 2,3 4)'::geometry AS g) q GROUP BY g
