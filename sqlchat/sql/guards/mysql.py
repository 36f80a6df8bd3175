"""MySQL and MariaDB: functions and statements that only read.

Left out on purpose: what sleeps, locks, waits or burns (`SLEEP`, `BENCHMARK`, `KDF`, `GET_LOCK`), reads files
(`LOAD_FILE`), moves sequences (`NEXTVAL`, `LAST_INSERT_ID(n)`), and the XML functions known for their errors.
"""

from __future__ import annotations

import re

from sqlchat.sql.guards import rules, suggestions

FUNCTIONS = rules.split_words(
    """
    abs acos add_months adddate addtime aes_decrypt aes_encrypt any_value ascii asin atan atan2 avg bin
    bin_to_uuid bit_and bit_count bit_length bit_or bit_xor ceil ceiling char char_length character_length
    charset chr coalesce coercibility collation compress concat concat_ws connection_id conv convert_tz cos cot
    count crc32 crc32c cume_dist curdate current_date current_role current_time current_timestamp current_user
    curtime database date date_format datediff day dayname dayofmonth dayofweek dayofyear decode degrees
    dense_rank elt encode exp export_set field find_in_set first_value floor format format_bytes
    format_pico_time found_rows from_base64 from_days from_unixtime get_format greatest group_concat grouping
    hex hour if ifnull inet6_aton inet6_ntoa inet_aton inet_ntoa insert instr interval is_ipv4 is_ipv4_compat
    is_ipv4_mapped is_ipv6 is_uuid isnull json_array json_array_append json_array_insert json_array_intersect
    json_arrayagg json_compact json_contains json_contains_path json_depth json_detailed json_equals json_exists
    json_extract json_insert json_key_value json_keys json_length json_loose json_merge json_merge_patch
    json_merge_preserve json_normalize json_object json_object_filter_keys json_object_to_array json_objectagg
    json_overlaps json_pretty json_query json_quote json_remove json_replace json_schema_valid json_search
    json_set json_storage_size json_table json_type json_unquote json_valid json_value lag last_day
    last_value lcase lead least left length lengthb linestring ln localtime localtimestamp locate log log10 log2
    lower lpad ltrim make_set makedate maketime max md5 median microsecond mid min minute mod month monthname
    name_const natural_sort_key now nth_value ntile nullif nvl nvl2 oct octet_length ord percent_rank
    percentile_cont percentile_disc period_add period_diff pi point polygon position pow power quarter quote
    radians rand random_bytes rank regexp_instr regexp_like regexp_replace regexp_substr repeat replace reverse
    right round row_number rpad rtrim schema sec_to_time second session_user sformat sha sha1 sha2 sign sin
    soundex space sqrt st_area st_asgeojson st_astext st_aswkt st_buffer st_centroid st_contains st_crosses
    st_difference st_disjoint st_distance st_distance_sphere st_envelope st_equals st_geomfromgeojson
    st_geomfromtext st_intersection st_intersects st_isvalid st_length st_linefromtext st_overlaps
    st_pointfromtext st_polyfromtext st_srid st_touches st_union st_within st_x st_y std stddev stddev_pop
    stddev_samp str_to_date strcmp subdate substr substring substring_index subtime sum sys_guid sysdate
    system_user tan time time_format time_to_sec timediff timestamp timestampadd timestampdiff to_base64 to_char
    to_date to_days to_number to_seconds trim trunc truncate ucase uncompress uncompressed_length unhex
    unix_timestamp upper user utc_date utc_time utc_timestamp uuid uuid_short uuid_to_bin value values var_pop
    var_samp variance version week weekday weekofyear weight_string year yearweek
    """
)
MYSQL_KEYWORDS = rules.split_words(
    """
    bigint binary blob by datetime div double fixed index int integer is join key like mediumint mod nvarchar
    partition real regexp rlike separator signed smallint straight_join text tinyint unsigned varbinary xor
    """
)
SHOWN = (
    r"(full )?(tables|columns|fields)( .*)?|(databases|schemas)( .*)?|(index|indexes|keys) .*|create (table|view) .*"
    r"|table status( .*)?|warnings|errors|engines|(global |session )?(variables|status)( .*)?"
    r"|(character set|collation)( .*)?"
)
SHOW = re.compile(SHOWN)
OPTIONS = rules.split_words("analyze extended partitions")


DESCRIBE = rules.make_describe_reader("EXPLAIN", "DESCRIBE", rules.QUERY_STARTS, flags=OPTIONS)


RULES = rules.Rules(
    engine="MySQL",
    instead=suggestions.MYSQL,
    grammar=rules.split_words("cast convert date_add date_sub exists extract match"),
    functions=FUNCTIONS,
    keywords=rules.KEYWORDS | rules.TYPES | MYSQL_KEYWORDS,
    after=rules.AFTER
    | {
        "against": rules.split_words(")"),
        "columns": frozenset({rules.OPERAND}),
        "lateral": frozenset({rules.SUBQUERY}),
    },
    hidden_schemas=frozenset({"mysql", "performance_schema", "sys"}),
    signs=re.compile(r"[@:]"),
    sign_reason="Variables (@name, @@name) are not allowed; write the value itself.",
    statements={"show": rules.make_show_reader(SHOW, ".=%")}
    | dict.fromkeys(("describe", "desc", "explain"), DESCRIBE),
)
