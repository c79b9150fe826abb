// SET, SHOW, RESET, DISCARD, and what belongs to the transaction alone: a part of LocalSession.
#include <fmt/format.h>

#include <utility>

#include "engine/node/known_settings.h"
#include "engine/node/local_session.h"
#include "engine/types/error.h"

namespace polarsim::engine {

namespace {

std::string description_of(std::string_view name) {
  const KnownSetting* const known = find_known_setting(setting_in_lower_case(name));
  return known != nullptr ? known->description : std::string();
}

}  // namespace

void LocalSession::warn(const char* sqlstate, std::string message) {
  ErrorFields fields;
  fields.sqlstate = sqlstate;
  fields.message = std::move(message);
  notices_.push_back(std::move(fields));
}

void LocalSession::refuse_if_read_only(std::string_view what) const {
  if (!settled_.read_only) return;
  throw SqlError(sqlstate::read_only_sql_transaction,
                 fmt::format("cannot execute {} in a read-only transaction", what));
}

void LocalSession::change_settings(bool local, const std::function<void(Settings&)>& change) {
  const auto changed = [&](const std::shared_ptr<const Settings>& old) {
    auto copy = std::make_shared<Settings>(*old);
    change(*copy);
    return copy;
  };
  const bool same = settled_.in_force == settled_.session;
  settled_.in_force = changed(settled_.in_force);
  if (local) return;
  settled_.session = same ? settled_.in_force : changed(settled_.session);
}

void LocalSession::change_setting(std::string_view name, std::string_view value) {
  change_settings(false, [&](Settings& settings) { settings.set(name, value); });
}

void LocalSession::set_at_start(std::string_view name, std::string_view value) {
  change_settings(false, [&](Settings& settings) {
    settings.set(name, value);
    const std::string lower = setting_in_lower_case(name);
    settings.set_default(lower, settings.show(lower));
  });
  settled_.read_only = settled_.in_force->default_transaction_read_only();
}

QueryResult LocalSession::set(const syntax::SetVariable& setting) {
  const char* const tag = setting.reset && setting.value.empty() ? "RESET" : "SET";
  const bool in_block = status_ != TransactionStatus::idle;
  const auto change = [&](Settings& settings) {
    if (setting.reset) {
      settings.reset(setting.name);
    } else {
      settings.set(setting.name, setting.value);
    }
  };
  if (setting.local && !in_block) {
    warn(sqlstate::no_active_sql_transaction, "SET LOCAL can only be used in transaction blocks");
    // Only its value is looked at.
    Settings checked = *settled_.in_force;
    if (set_transaction_variable(setting)) return tagged(tag);
    change(checked);
    return tagged(tag);
  }
  if (set_transaction_variable(setting)) return tagged(tag);
  change_settings(setting.local, change);
  if (!in_block) settled_.read_only = settled_.in_force->default_transaction_read_only();
  return tagged(tag);
}

// The two that belong to the transaction; outside a block they last for the statement, so that only their value is
// looked at.
bool LocalSession::set_transaction_variable(const syntax::SetVariable& setting) {
  const bool in_block = status_ != TransactionStatus::idle;
  const Settings& settings = *settled_.in_force;
  if (setting.name == "transaction_isolation") {
    const std::string level = Settings::check_isolation(
        setting.name, setting.reset ? settings.default_transaction_isolation() : setting.value);
    if (in_block) set_isolation(level);
    return true;
  }
  if (setting.name == "transaction_read_only") {
    const bool read_only =
        setting.reset ? settings.default_transaction_read_only() : Settings::check_boolean(setting.name, setting.value);
    if (in_block) set_read_only(read_only);
    return true;
  }
  // It means something to serializable transactions alone.
  if (setting.name == "transaction_deferrable") {
    if (!setting.reset) Settings::check_boolean(setting.name, setting.value);
    return true;
  }
  return false;
}

QueryResult LocalSession::set_transaction(const syntax::SetTransaction& set) {
  const std::string& level = set.modes.isolation;
  if (!level.empty()) Settings::check_isolation("transaction_isolation", level);
  if (set.session) {
    change_settings(false, [&](Settings& settings) {
      if (!level.empty()) settings.set("default_transaction_isolation", level);
      if (set.modes.read_only) settings.set("default_transaction_read_only", *set.modes.read_only ? "on" : "off");
    });
    if (status_ == TransactionStatus::idle) settled_.read_only = settled_.in_force->default_transaction_read_only();
  } else if (status_ == TransactionStatus::idle) {
    warn(sqlstate::no_active_sql_transaction, "SET TRANSACTION can only be used in transaction blocks");
  } else {
    if (!level.empty()) set_isolation(level);
    if (set.modes.read_only) set_read_only(*set.modes.read_only);
  }
  return tagged("SET");
}

void LocalSession::set_isolation(std::string_view level) {
  if (level == isolation_) return;
  if (queried_) {
    throw SqlError(sqlstate::active_sql_transaction, "SET TRANSACTION ISOLATION LEVEL must be called before any query");
  }
  if (!savepoints_.empty()) {
    throw SqlError(sqlstate::active_sql_transaction,
                   "SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction");
  }
  isolation_ = level;
  transaction_->isolation =
      level == "repeatable read" ? txn::IsolationLevel::repeatable_read : txn::IsolationLevel::read_committed;
}

void LocalSession::set_read_only(bool read_only) {
  if (settled_.read_only && !read_only) {
    if (!savepoints_.empty() && savepoints_.back().before.read_only) {
      throw SqlError(sqlstate::active_sql_transaction,
                     "cannot set transaction read-write mode inside a read-only transaction");
    }
    if (queried_) {
      throw SqlError(sqlstate::active_sql_transaction, "transaction read-write mode must be set before any query");
    }
  }
  settled_.read_only = read_only;
}

std::string LocalSession::setting_text(std::string_view name) const {
  const bool in_block = status_ != TransactionStatus::idle;
  if (name == "transaction_isolation")
    return in_block || transaction_ != nullptr ? isolation_ : settled_.in_force->default_transaction_isolation();
  if (name == "transaction_read_only") return settled_.read_only ? "on" : "off";
  if (name == "transaction_deferrable") return settled_.in_force->show("default_transaction_deferrable");
  return settled_.in_force->show(name);
}

QueryResult LocalSession::show(const syntax::ShowVariable& setting) const {
  QueryResult result = tagged("SHOW");
  if (setting.name == "all") {
    for (const char* name : {"name", "setting", "description"}) result.columns.push_back({name, TypeId::text});
    for (const auto& [name, value] : settled_.in_force->all())
      result.rows.push_back({Value::text(name), Value::text(value), Value::text(description_of(name))});
    return result;
  }
  result.columns.push_back({std::string(Settings::display_name(setting.name)), TypeId::text});
  result.rows.push_back({Value::text(setting_text(setting.name))});
  return result;
}

QueryResult LocalSession::discard(const syntax::Discard& discard) {
  switch (discard.what) {
    case syntax::Discard::What::plans:
      plans_.clear();
      return tagged("DISCARD PLANS");
    case syntax::Discard::What::temporary:
      return tagged("DISCARD TEMP");
    case syntax::Discard::What::sequences:
      sequences_ = {};
      return tagged("DISCARD SEQUENCES");
    case syntax::Discard::What::all:
      break;
  }
  require_no_block("DISCARD ALL");
  change_settings(false, [](Settings& settings) { settings.reset("all"); });
  settled_.read_only = settled_.in_force->default_transaction_read_only();
  database_.locks().release_all(*backend_, backend_->session_locks);
  sequences_ = {};
  prepared_statements().clear();
  plans_.clear();
  return tagged("DISCARD ALL");
}

}  // namespace polarsim::engine
