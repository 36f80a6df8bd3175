"""PostgreSQL: functions, catalogs and statements that only read.

The list of functions serves where the database's own `pg_proc` is not at hand. Left out on purpose: what runs SQL
that comes as text (`query_to_xml`, `ts_stat`, `ts_rewrite`, `dblink`), reads files, sleeps, locks, signals, changes
or shows settings, moves sequences or writes large objects.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlchat.sql.guards import rules, suggestions
from sqlchat.sql.lexer import Lexeme

FUNCTIONS = rules.split_words(
    """
    abbrev abs aclcontains acldefault aclexplode acos acosd acosh age any_value area array_agg array_append
    array_dims array_length array_lower array_ndims array_position array_positions array_prepend array_remove
    array_replace array_reverse array_sort array_to_json array_to_string array_to_tsvector array_upper ascii
    asin asind asinh atan atan2 atan2d atand atanh avg bit bit_and bit_count bit_length bit_or bit_xor bool
    bool_and bool_or bound_box box bpchar broadcast btrim bytea cardinality casefold cbrt ceil ceiling center
    char char_length character_length chr cidr circle col_description concat concat_ws convert convert_from
    convert_to corr cos cosd cosh cot cotd count covar_pop covar_samp crc32 crc32c cume_dist current_database
    current_schema current_schemas current_user date date_add date_bin date_part date_subtract date_trunc
    datemultirange daterange decode degrees dense_rank diagonal diameter div encode enum_first enum_last
    enum_range every exp extract factorial family first_value float4 float8 floor format format_type gamma gcd
    generate_series generate_subscripts get_bit get_byte get_current_ts_config getdatabaseencoding
    has_any_column_privilege has_column_privilege has_database_privilege has_foreign_data_wrapper_privilege
    has_function_privilege has_language_privilege has_largeobject_privilege has_parameter_privilege
    has_schema_privilege has_sequence_privilege has_server_privilege has_table_privilege
    has_tablespace_privilege has_type_privilege hashint4 hashint8 hashtext hashtextextended height host hostmask
    icu_unicode_version inet_client_addr inet_client_port inet_merge inet_same_family inet_server_addr
    inet_server_port initcap int2 int4 int4multirange int4range int8 int8multirange int8range interval
    is_normalized isempty isfinite json_agg json_agg_strict json_array_elements json_array_elements_text
    json_array_length json_build_array json_build_object json_each json_each_text json_extract_path
    json_extract_path_text json_object json_object_agg json_object_agg_strict json_object_agg_unique
    json_object_agg_unique_strict json_object_keys json_populate_record json_populate_recordset json_strip_nulls
    json_to_record json_to_recordset json_to_tsvector json_typeof jsonb_agg jsonb_agg_strict
    jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object
    jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object
    jsonb_object_agg jsonb_object_agg_strict jsonb_object_agg_unique jsonb_object_agg_unique_strict
    jsonb_object_keys jsonb_path_exists jsonb_path_exists_tz jsonb_path_match jsonb_path_match_tz
    jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz jsonb_path_query_first
    jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record jsonb_populate_record_valid
    jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record
    jsonb_to_recordset jsonb_to_tsvector jsonb_typeof justify_days justify_hours justify_interval lag last_value
    lcm lead left length lgamma line ln log log10 lower lower_inc lower_inf lpad lseg ltrim macaddr macaddr8
    macaddr8_set7bit make_date make_interval make_time make_timestamp make_timestamptz masklen max md5 min
    min_scale mod mode money multirange mxid_age name netmask network normalize now npoints nth_value ntile
    num_nonnulls num_nulls numeric nummultirange numnode numrange obj_description octet_length oid overlaps
    overlay parse_ident path percent_rank percentile_cont percentile_disc pg_available_extension_versions
    pg_available_extensions pg_backend_pid pg_basetype pg_char_to_encoding pg_client_encoding pg_collation_for
    pg_collation_is_visible pg_column_compression pg_column_is_updatable pg_column_size pg_column_toast_chunk_id
    pg_conf_load_time pg_conversion_is_visible pg_current_snapshot pg_current_xact_id_if_assigned
    pg_describe_object pg_encoding_max_length pg_encoding_to_char pg_function_is_visible pg_get_acl
    pg_get_constraintdef pg_get_expr pg_get_function_arg_default pg_get_function_arguments
    pg_get_function_identity_arguments pg_get_function_result pg_get_function_sqlbody pg_get_functiondef
    pg_get_indexdef pg_get_keywords pg_get_object_address pg_get_partition_constraintdef pg_get_partkeydef
    pg_get_ruledef pg_get_serial_sequence pg_get_statisticsobjdef pg_get_statisticsobjdef_columns
    pg_get_statisticsobjdef_expressions pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_has_role
    pg_identify_object pg_identify_object_as_address pg_index_column_has_property pg_index_has_property
    pg_indexam_has_property pg_indexam_progress_phasename pg_input_error_info pg_input_is_valid
    pg_is_other_temp_schema pg_lsn pg_my_temp_schema pg_opclass_is_visible pg_operator_is_visible
    pg_opfamily_is_visible pg_partition_root pg_postmaster_start_time pg_relation_is_publishable
    pg_relation_is_updatable pg_sequence_parameters pg_settings_get_flags pg_size_bytes pg_size_pretty
    pg_snapshot_xip pg_snapshot_xmax pg_snapshot_xmin pg_statistics_obj_is_visible pg_table_is_visible
    pg_tablespace_location pg_timezone_abbrevs_abbrevs pg_timezone_abbrevs_zone pg_timezone_names
    pg_trigger_depth pg_ts_config_is_visible pg_ts_dict_is_visible pg_ts_parser_is_visible
    pg_ts_template_is_visible pg_type_is_visible pg_typeof pg_visible_in_snapshot phraseto_tsquery pi
    plainto_tsquery point polygon position pow power querytree quote_ident quote_literal quote_nullable radians
    radius range_agg range_merge rank regclass regexp_count regexp_instr regexp_like regexp_match regexp_matches
    regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr regr_avgx regr_avgy regr_count
    regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy repeat replace reverse right round row_number
    row_security_active row_to_json rpad rtrim scale session_user set_bit set_byte set_masklen setweight sha224
    sha256 sha384 sha512 shobj_description sign sin sind sinh split_part sqrt starts_with statement_timestamp
    stddev stddev_pop stddev_samp string_agg string_to_array string_to_table strip strpos substr substring sum
    system_user tan tand tanh text time timestamp timestamptz timetz timezone to_ascii to_bin to_char to_date
    to_hex to_json to_jsonb to_number to_oct to_regclass to_regcollation to_regnamespace to_regoper
    to_regoperator to_regproc to_regprocedure to_regrole to_regtype to_regtypemod to_timestamp to_tsquery
    to_tsvector transaction_timestamp translate trim_array trim_scale trunc ts_debug ts_delete ts_filter
    ts_headline ts_lexize ts_parse ts_rank ts_rank_cd tsmultirange tsquery_phrase tsrange tstzmultirange
    tstzrange tsvector_to_array txid_current_if_assigned txid_current_snapshot txid_snapshot_xip
    txid_snapshot_xmax txid_snapshot_xmin txid_visible_in_snapshot unicode_assigned unicode_version unistr
    unnest upper upper_inc upper_inf uuid_extract_timestamp uuid_extract_version var_pop var_samp varbit varchar
    variance version websearch_to_tsquery width width_bucket xml xml_is_well_formed xml_is_well_formed_content
    xml_is_well_formed_document xmlagg xmlcomment xmlconcat2 xmlexists xmltext xmlvalidate xpath xpath_exists
    """
)
GRAMMAR = rules.split_words(
    """
    cast coalesce current_catalog current_date current_role current_time current_timestamp
    exists extract greatest grouping json json_array json_arrayagg json_exists json_object json_objectagg json_query
    json_scalar json_serialize json_table json_value least localtime localtimestamp normalize nullif operator
    position trim user xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces
    xmlparse xmlpi xmlroot xmlserialize xmltable
    """
)
VOLATILE_BUT_HARMLESS = rules.split_words(
    """
    array_sample array_shuffle clock_timestamp gen_random_bytes gen_random_uuid gen_salt normal_rand pg_database_size
    pg_indexes_size pg_is_in_recovery pg_partition_ancestors pg_partition_tree pg_relation_size pg_sequence_last_value
    pg_table_size pg_tablespace_size pg_total_relation_size pgp_pub_encrypt pgp_pub_encrypt_bytea pgp_sym_encrypt
    pgp_sym_encrypt_bytea random random_normal st_generatepoints timeofday uuid_generate_v1 uuid_generate_v1mc
    uuid_generate_v4 uuidv4 uuidv7
    """
)
"""Functions of Postgres and of well-known extensions that only compute or measure although they are volatile."""
EXPANDING = "information_schema._pg_expandarray"
DANGERS = re.compile(
    r"""
    (binary_upgrade|brin_|gin_clean|lo_|pg_advisory|pg_backup|pg_cancel|pg_clear|pg_copy|pg_create|pg_drop|pg_export
      |pg_file|pg_hba|pg_ident_file|pg_import|pg_log|pg_ls_|pg_nextoid|pg_promote|pg_read|pg_reload|pg_replication|pg_restore
      |pg_rotate|pg_sleep|pg_start|pg_stop|pg_switch|pg_sync|pg_terminate|pg_try|pg_wal_replay|pg_stat_(file|reset|clear)
      |pg_stat_force|pg_stat_get_activity|pg_stat_get_backend_activity|pg_notify|pg_show_all|pg_current_xact_id$|dblink|http|crosstab|connectby|xpath_table|xpath_nodeset
      |cron|net_|vault|pg_surgery|heap_force|pg_truncate|pg_prewarm|pg_buffercache_evict|plpy|pltcl|plperl).*
    |.*_to_xml(schema|_and_xmlschema)?|.*_validator
    |loread|lowrite|nextval|setval|currval|lastval|set_config|current_setting|setseed|ts_rewrite|ts_stat|array_fill
    |current_query|txid_current|pg_cursor|pg_prepared_statement|pg_event_trigger_.*
    |isn_weak|st_fromflatgeobuftotable|satisfies_hash_partition
    |(array|domain|enum|multirange|range|record)_(in|recv)
    """,
    re.VERBOSE,
)
HIDDEN = re.compile(
    r"pg_(authid|shadow|db_role_setting|user_mappings?|largeobject|hba_file_rules|ident_file_mappings|file_settings|subscription)"
    r"|_?pg_foreign_servers?|foreign_server_options|_pg_user_mappings|user_mapping_options|pg_dist_authinfo|decrypted_secrets"
)
SHOWN = rules.split_words("all isolation level session authorization time zone transaction")


def read_show(lexemes: Sequence[Lexeme]) -> str | rules.Inner:
    """SHOW takes one setting's name, ALL or a phrase; a dotted name is a variable of somebody's own."""
    texts = [lexeme.value for lexeme in lexemes[1:]]
    if (
        not texts
        or any(lexeme.kind != "word" for lexeme in lexemes)
        or (len(texts) > 1 and not SHOWN.issuperset(texts))
    ):
        raise rules.make_rest_error(lexemes, "SHOW takes the name of one setting")
    return "SHOW"


RULES = rules.Rules(
    engine="Postgres",
    instead=suggestions.POSTGRES,
    ways_out="a view may call it, and if it is immutable, the connection's owner may name it in `allow_functions`",
    functions=FUNCTIONS | VOLATILE_BUT_HARMLESS | {EXPANDING},
    keywords=rules.KEYWORDS | rules.TYPES | rules.split_words("array lateral only placing symmetric asymmetric"),
    after=rules.AFTER
    | {
        "columns": frozenset({rules.OPERAND}),
        "passing": frozenset({rules.OPERAND}),
        "for": rules.split_words("collation") | {rules.OPERAND},
    }
    | dict.fromkeys(
        rules.split_words("bpchar geography geometry halfvec timestamptz timetz varbit vector sparsevec"),
        frozenset({rules.TYPE}),
    ),
    attributes=True,
    schemas=frozenset({"pg_catalog"}),
    grammar=GRAMMAR,
    dangers=DANGERS,
    hidden=HIDDEN,
    hidden_schemas=frozenset({"vault", "pgsodium"}),
    statements={
        "show": read_show,
        "explain": rules.make_explain_reader(
            rules.split_words(
                "analyze buffers costs format generic_plan memory serialize settings summary timing verbose wal"
            ),
            rules.split_words("analyze analyse verbose"),
        ),
    },
)
