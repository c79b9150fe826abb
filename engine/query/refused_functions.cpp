#include "engine/query/refused_functions.h"

#include <algorithm>
#include <array>

namespace polarsim::engine::query {

namespace {

constexpr std::array<std::string_view, 10> json_paths{
    "jsonb_path_exists",         "jsonb_path_exists_tz",   "jsonb_path_match",          "jsonb_path_match_tz",
    "jsonb_path_query",          "jsonb_path_query_array", "jsonb_path_query_array_tz", "jsonb_path_query_first",
    "jsonb_path_query_first_tz", "jsonb_path_query_tz"};
constexpr std::array<std::string_view, 2> unicode{"is_normalized", "normalize"};
constexpr std::array<std::string_view, 11> xml{"query_to_xml",
                                               "query_to_xmlschema",
                                               "schema_to_xml",
                                               "table_to_xml",
                                               "table_to_xmlschema",
                                               "xml_is_well_formed",
                                               "xml_is_well_formed_content",
                                               "xml_is_well_formed_document",
                                               "xmlcomment",
                                               "xpath",
                                               "xpath_exists"};
constexpr std::array<std::string_view, 3> backups{"pg_backup_start", "pg_backup_stop", "pg_create_restore_point"};
constexpr std::array<std::string_view, 3> enumerated_types{"enum_first", "enum_last", "enum_range"};
constexpr std::array<std::string_view, 26> full_text_search{"array_to_tsvector", "get_current_ts_config",
                                                            "json_to_tsvector",  "jsonb_to_tsvector",
                                                            "numnode",           "phraseto_tsquery",
                                                            "plainto_tsquery",   "querytree",
                                                            "setweight",         "strip",
                                                            "to_tsquery",        "to_tsvector",
                                                            "ts_debug",          "ts_delete",
                                                            "ts_filter",         "ts_headline",
                                                            "ts_lexize",         "ts_parse",
                                                            "ts_rank",           "ts_rank_cd",
                                                            "ts_rewrite",        "ts_stat",
                                                            "ts_token_type",     "tsquery_phrase",
                                                            "tsvector_to_array", "websearch_to_tsquery"};
constexpr std::array<std::string_view, 21> geometry{
    "area", "bound_box", "box",  "center", "circle", "diagonal", "diameter", "height", "isclosed", "isopen", "line",
    "lseg", "npoints",   "path", "pclose", "point",  "polygon",  "popen",    "radius", "slope",    "width"};
constexpr std::array<std::string_view, 18> large_objects{
    "lo_close",  "lo_creat",    "lo_create",     "lo_export", "lo_from_bytea", "lo_get",
    "lo_import", "lo_lseek",    "lo_lseek64",    "lo_open",   "lo_put",        "lo_tell",
    "lo_tell64", "lo_truncate", "lo_truncate64", "lo_unlink", "loread",        "lowrite"};
constexpr std::array<std::string_view, 11> network_addresses{"abbrev",   "broadcast",  "family",           "host",
                                                             "hostmask", "inet_merge", "inet_same_family", "masklen",
                                                             "netmask",  "network",    "set_masklen"};
constexpr std::array<std::string_view, 3> notifications{"pg_listening_channels", "pg_notification_queue_usage",
                                                        "pg_notify"};
constexpr std::array<std::string_view, 21> ranges{
    "datemultirange", "daterange",           "int4multirange", "int4range",    "int8multirange", "int8range",
    "isempty",        "lower_inc",           "lower_inf",      "multirange",   "nummultirange",  "numrange",
    "range_agg",      "range_intersect_agg", "range_merge",    "tsmultirange", "tsrange",        "tstzmultirange",
    "tstzrange",      "upper_inc",           "upper_inf"};
constexpr std::array<std::string_view, 23> replication{"pg_copy_logical_replication_slot",
                                                       "pg_copy_physical_replication_slot",
                                                       "pg_create_logical_replication_slot",
                                                       "pg_create_physical_replication_slot",
                                                       "pg_drop_replication_slot",
                                                       "pg_get_wal_replay_pause_state",
                                                       "pg_is_wal_replay_paused",
                                                       "pg_last_committed_xact",
                                                       "pg_last_wal_receive_lsn",
                                                       "pg_last_wal_replay_lsn",
                                                       "pg_last_xact_replay_timestamp",
                                                       "pg_logical_emit_message",
                                                       "pg_logical_slot_get_binary_changes",
                                                       "pg_logical_slot_get_changes",
                                                       "pg_logical_slot_peek_binary_changes",
                                                       "pg_logical_slot_peek_changes",
                                                       "pg_promote",
                                                       "pg_replication_origin_create",
                                                       "pg_replication_origin_drop",
                                                       "pg_replication_slot_advance",
                                                       "pg_wal_replay_pause",
                                                       "pg_wal_replay_resume",
                                                       "pg_xact_commit_timestamp"};
constexpr std::array<std::string_view, 8> server_files{
    "pg_ls_archive_statusdir", "pg_ls_dir",    "pg_ls_logdir", "pg_ls_tmpdir", "pg_ls_waldir",
    "pg_read_binary_file",     "pg_read_file", "pg_stat_file"};
constexpr std::array<std::string_view, 3> server_signals{"pg_log_backend_memory_contexts", "pg_reload_conf",
                                                         "pg_rotate_logfile"};
constexpr std::array<std::string_view, 11> snapshots_as_values{
    "pg_current_snapshot", "pg_export_snapshot",     "pg_snapshot_xip",         "pg_snapshot_xmax",
    "pg_snapshot_xmin",    "pg_visible_in_snapshot", "txid_current_snapshot",   "txid_snapshot_xip",
    "txid_snapshot_xmax",  "txid_snapshot_xmin",     "txid_visible_in_snapshot"};
constexpr std::array<std::string_view, 5> statistics_counters{
    "pg_stat_clear_snapshot", "pg_stat_reset", "pg_stat_reset_shared", "pg_stat_reset_single_table_counters",
    "pg_stat_reset_slru"};
constexpr std::array<std::string_view, 7> write_ahead_log{
    "pg_current_wal_flush_lsn", "pg_current_wal_insert_lsn", "pg_current_wal_lsn",    "pg_switch_wal",
    "pg_wal_lsn_diff",          "pg_walfile_name",           "pg_walfile_name_offset"};

constexpr RefusedFunctions all[] = {
    {"JSON paths", json_paths},
    {"Unicode", unicode},
    {"XML", xml},
    {"backups", backups},
    {"enumerated types", enumerated_types},
    {"full text search", full_text_search},
    {"geometry", geometry},
    {"large objects", large_objects},
    {"network addresses", network_addresses},
    {"notifications", notifications},
    {"ranges", ranges},
    {"replication", replication},
    {"server files", server_files},
    {"server signals", server_signals},
    {"snapshots as values", snapshots_as_values},
    {"statistics counters", statistics_counters},
    {"write-ahead log", write_ahead_log},
};

}  // namespace

std::span<const RefusedFunctions> refused_functions() { return all; }

bool is_refused_function(std::string_view name) {
  return std::ranges::any_of(
      all, [name](const RefusedFunctions& each) { return std::ranges::binary_search(each.names, name); });
}

}  // namespace polarsim::engine::query
