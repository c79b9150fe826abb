#include "scenarios/campaign_store.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "sim/digest.h"

namespace polarsim::scenarios {

namespace {

constexpr int store_version = 1;
constexpr int application_id = 0x504f4c53;  // "POLS"

constexpr const char* schema = R"(
CREATE TABLE run (
  scenario        TEXT    NOT NULL,
  configuration   TEXT    NOT NULL,
  seed            INTEGER NOT NULL,
  verdict         TEXT    NOT NULL CHECK (verdict IN ('passed', 'failed', 'unknown', 'crashed')),
  signature       TEXT    NOT NULL,
  checker         TEXT    NOT NULL,
  explanation     TEXT    NOT NULL,
  digest          TEXT    NOT NULL,
  virtual_time_ns INTEGER NOT NULL,
  wall_ms         INTEGER NOT NULL,
  transactions    INTEGER NOT NULL,
  faults          INTEGER NOT NULL,
  seen            TEXT    NOT NULL,
  probes          TEXT    NOT NULL,
  capsule         TEXT    NOT NULL,
  build           TEXT    NOT NULL,
  PRIMARY KEY (scenario, configuration, seed)
) STRICT, WITHOUT ROWID;
)";

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

Statement prepare(sqlite3* database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, sql, -1, &statement, nullptr) != SQLITE_OK) return nullptr;
  return Statement(statement);
}

void bind_value(const Statement& statement, int column, const std::string& text) {
  sqlite3_bind_text64(statement.get(), column, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void bind_value(const Statement& statement, int column, std::uint64_t number) {
  sqlite3_bind_int64(statement.get(), column, static_cast<sqlite3_int64>(number));
}

std::string text_at(const Statement& statement, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), column));
  return text == nullptr ? ""
                         : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement.get(), column)));
}

std::string list_to_json(const std::vector<std::string>& names) {
  return nlohmann::json(names).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> list_from_json(const std::string& text) {
  const auto parsed = nlohmann::json::parse(text, nullptr, false);
  std::vector<std::string> names;
  if (!parsed.is_array()) return names;
  for (const auto& name : parsed) {
    if (name.is_string()) names.push_back(name.get<std::string>());
  }
  return names;
}

SeedVerdict verdict_from(const std::string& name) {
  for (const SeedVerdict verdict : {SeedVerdict::passed, SeedVerdict::failed, SeedVerdict::crashed}) {
    if (name == to_string(verdict)) return verdict;
  }
  return SeedVerdict::unknown;  // the table's CHECK leaves no other
}

SeedResult row_of(const Statement& statement) {
  SeedResult result;
  result.scenario = text_at(statement, 0);
  result.seed = static_cast<std::uint64_t>(sqlite3_column_int64(statement.get(), 1));
  result.verdict = verdict_from(text_at(statement, 2));
  result.signature = text_at(statement, 3);
  result.checker = text_at(statement, 4);
  result.explanation = text_at(statement, 5);
  result.digest = text_at(statement, 6);
  result.virtual_time_ns = sqlite3_column_int64(statement.get(), 7);
  result.wall_ms = sqlite3_column_int64(statement.get(), 8);
  result.transactions = static_cast<std::uint64_t>(sqlite3_column_int64(statement.get(), 9));
  result.faults = static_cast<std::uint64_t>(sqlite3_column_int64(statement.get(), 10));
  result.seen = list_from_json(text_at(statement, 11));
  result.probes = list_from_json(text_at(statement, 12));
  result.capsule = text_at(statement, 13);
  return result;
}

void bind_row(const Statement& statement, const std::string& configuration, const std::string& build,
              const SeedResult& result) {
  bind_value(statement, 1, result.scenario);
  bind_value(statement, 2, configuration);
  bind_value(statement, 3, result.seed);
  bind_value(statement, 4, std::string(to_string(result.verdict)));
  bind_value(statement, 5, result.signature);
  bind_value(statement, 6, result.checker);
  bind_value(statement, 7, result.explanation);
  bind_value(statement, 8, result.digest);
  bind_value(statement, 9, static_cast<std::uint64_t>(result.virtual_time_ns));
  bind_value(statement, 10, static_cast<std::uint64_t>(result.wall_ms));
  bind_value(statement, 11, result.transactions);
  bind_value(statement, 12, result.faults);
  bind_value(statement, 13, list_to_json(result.seen));
  bind_value(statement, 14, list_to_json(result.probes));
  bind_value(statement, 15, result.capsule);
  bind_value(statement, 16, build);
}

// The single integer that a PRAGMA or an aggregate answers; -1 if it cannot be read.
int single_integer(sqlite3* database, const char* sql) {
  const Statement statement = prepare(database, sql);
  if (!statement || sqlite3_step(statement.get()) != SQLITE_ROW) return -1;
  return sqlite3_column_int(statement.get(), 0);
}

}  // namespace

tl::expected<CampaignStore, InputError> CampaignStore::open(const std::string& file) {
  sqlite3* database = nullptr;
  const std::string name = file.empty() ? ":memory:" : file;
  const int status = sqlite3_open_v2(name.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  CampaignStore store(database, name);
  if (status != SQLITE_OK) return tl::unexpected(store.error("open"));
  sqlite3_busy_timeout(database, 10'000);
  const auto ready = store.set_up();
  if (!ready) return tl::unexpected(ready.error());
  return store;
}

CampaignStore::CampaignStore(CampaignStore&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)), file_(std::move(other.file_)) {}

CampaignStore::~CampaignStore() { sqlite3_close(database_); }

InputError CampaignStore::error(const char* what) const {
  const char* reason = database_ == nullptr ? "out of memory" : sqlite3_errmsg(database_);
  return InputError{fmt::format("{}: cannot {} this database: {}", file_, what, reason)};
}

tl::expected<void, InputError> CampaignStore::execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return tl::unexpected(error("write to"));
  return {};
}

tl::expected<void, InputError> CampaignStore::set_up() {
  const int tables = single_integer(database_, "SELECT count(*) FROM sqlite_schema");
  if (tables < 0) return tl::unexpected(error("read"));
  if (tables > 0) {
    if (single_integer(database_, "PRAGMA application_id") != application_id) {
      return tl::unexpected(InputError{fmt::format("{}: this database does not hold campaign results", file_)});
    }
    const int version = single_integer(database_, "PRAGMA user_version");
    if (version != store_version) {
      return tl::unexpected(InputError{fmt::format("{}: format {} of campaign results, this program knows format {}",
                                                   file_, version, store_version)});
    }
  }
  // A result lost to a power failure is found again by running its seed, so the log need not be forced out for each
  // row.
  const auto mode = execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
  if (!mode || tables > 0) return mode;
  const std::string statements = fmt::format("BEGIN; {} PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT;",
                                             schema, application_id, store_version);
  return execute(statements.c_str());
}

tl::expected<std::vector<SeedResult>, InputError> CampaignStore::load(const std::string& scenario,
                                                                      const std::string& configuration,
                                                                      std::uint64_t first, std::uint64_t last) {
  const Statement statement =
      prepare(database_,
              "SELECT scenario, seed, verdict, signature, checker, explanation, digest, virtual_time_ns, wall_ms, "
              "transactions, faults, seen, probes, capsule FROM run "
              "WHERE scenario = ?1 AND configuration = ?2 AND seed BETWEEN ?3 AND ?4 ORDER BY seed");
  if (!statement) return tl::unexpected(error("read"));
  bind_value(statement, 1, scenario);
  bind_value(statement, 2, configuration);
  bind_value(statement, 3, first);
  bind_value(statement, 4, last);
  std::vector<SeedResult> results;
  int status = SQLITE_ROW;
  while ((status = sqlite3_step(statement.get())) == SQLITE_ROW) results.push_back(row_of(statement));
  if (status != SQLITE_DONE) return tl::unexpected(error("read"));
  return results;
}

tl::expected<void, InputError> CampaignStore::add(const std::string& configuration, const std::string& build,
                                                  const std::vector<SeedResult>& results) {
  if (const auto begun = execute("BEGIN IMMEDIATE"); !begun) return begun;
  const Statement statement = prepare(database_, "INSERT OR REPLACE INTO run VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
  if (!statement) return tl::unexpected(error("write to"));
  for (const SeedResult& result : results) {
    sqlite3_reset(statement.get());
    bind_row(statement, configuration, build, result);
    if (sqlite3_step(statement.get()) != SQLITE_DONE) {
      const InputError failure = error("write to");
      sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
      return tl::unexpected(failure);
    }
  }
  return execute("COMMIT");
}

tl::expected<void, InputError> CampaignStore::clear_capsule(const std::string& scenario,
                                                            const std::string& configuration, std::uint64_t seed) {
  const Statement statement =
      prepare(database_, "UPDATE run SET capsule = '' WHERE scenario = ?1 AND configuration = ?2 AND seed = ?3");
  if (!statement) return tl::unexpected(error("write to"));
  bind_value(statement, 1, scenario);
  bind_value(statement, 2, configuration);
  bind_value(statement, 3, seed);
  if (sqlite3_step(statement.get()) != SQLITE_DONE) return tl::unexpected(error("write to"));
  return {};
}

std::string configuration_of(const CampaignScenario& scenario, const std::vector<engine::PlantedBug>& planted) {
  std::string text = scenario.scenario.source_text;
  for (const std::string& entry : scenario.overrides) text += '\0' + entry;
  for (const engine::PlantedBug bug : planted) text += fmt::format("\1{}", static_cast<int>(bug));
  return fmt::format("{:016x}", sim::stable_hash(text));
}

}  // namespace polarsim::scenarios
