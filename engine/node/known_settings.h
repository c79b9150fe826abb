// The settings there are: their names, what values they take, and how these are shown (PostgreSQL's
// src/backend/utils/misc/guc_tables.c; those of the cluster, polar_cluster.*, as in the closest relative, with its
// defaults and ranges).
//
// Of the cluster's, some change nothing here, because every session has one connection to each node and runs the tasks
// of a node one after another: they are known and checked, so that statements written for the cluster run
// (engine/cluster/README.md lists them). Others have one value here: to ask for what they would change is 0A000.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/time.h"

namespace polarsim::engine {

struct KnownSetting {
  enum class Kind : std::uint8_t {
    text,           // any
    fixed,          // only the default value
    internal,       // what the server is: nobody can set it
    postmaster,     // of the server's configuration, read when it starts
    server,         // of the server's configuration: no session can set it
    boolean,        // on, off
    timeout,        // milliseconds
    real,           // least .. most
    memory,         // least .. most, in the unit
    integer,        // least .. most
    words,          // one of `words`
    isolation,      // a level
    zone,           // a time zone
    date_style,     // DateStyle
    encoding,       // client_encoding
    float_digits,   // extra_float_digits
    schemas,        // a list of names
    access_method,  // of tables
    tablespaces,    // one that exists, or nothing
    role,           // one that exists, or none
  };
  std::string name;  // in lower case
  Kind kind = Kind::text;
  std::string initial;  // as SHOW shows it
  std::string display;  // the name as PostgreSQL spells it
  double least = 0;
  double most = 0;
  std::string words;  // separated by ", ", as a hint lists them
  // For pg_settings.
  std::string built_in;  // the initial value in the unit
  std::string unit;
  std::string context;
  std::string type;
  std::string category;
  std::string description;
  std::string details;
  // Neither SHOW ALL nor pg_settings have it.
  bool hidden = false;
};

// By name in lower case, in order.
std::vector<const KnownSetting*> known_settings();
// Null: unknown.
const KnownSetting* find_known_setting(std::string_view name);
// Names of this class are known, or are errors.
inline constexpr std::string_view cluster_prefix = "polar_cluster";

// As SHOW shows the value. Throws SqlError: 22023 for a bad value, 0A000 for a value there is but not here, 55P02 for
// what a session cannot set.
std::string canonical_value(const KnownSetting& setting, std::string_view value);

// Of values that canonical_value() accepts.
sim::Duration timeout_of(std::string_view name, std::string_view value);
double memory_kb_of(std::string_view name, std::string_view value);
double cost_of(std::string_view name, std::string_view value);
std::vector<std::string> schemas_of(std::string_view value);
std::string show_timeout(sim::Duration timeout);

// A value as SHOW shows it, in the setting's unit, as pg_settings has it: "4MB" is 4096.
std::string in_unit(const KnownSetting& setting, std::string_view shown);

// Throws 22023.
bool check_boolean_setting(std::string_view name, std::string_view value);
// The level's name in lower case. Throws 22023 unless it is one, 0A000 for the one this engine does not have.
std::string check_isolation_setting(std::string_view name, std::string_view level);

std::string setting_in_lower_case(std::string_view text);

}  // namespace polarsim::engine
