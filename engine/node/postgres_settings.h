// The settings of PostgreSQL that are known here, as data. Private to known_settings.cpp.
#pragma once

#include <span>

#include "engine/node/known_settings.h"

namespace polarsim::engine {

struct PostgresSetting {
  const char* name;  // as PostgreSQL spells it
  KnownSetting::Kind kind;
  const char* initial;  // pg_settings.boot_val: in the unit
  const char* context;
  const char* type;
  const char* category;
  const char* description;
  const char* details;  // null: none
  double least;
  double most;
  const char* words;  // null: none; separated by ", "
  const char* unit;   // null: none
};

// In the order of their names in lower case.
std::span<const PostgresSetting> postgres_settings();

}  // namespace polarsim::engine
