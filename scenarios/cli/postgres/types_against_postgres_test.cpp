// What engine/types offers does what PostgreSQL 15 does: every entry of its tables is there in the catalogs with the
// same properties, and gives the same values and errors for random arguments. What is known to differ is listed in
// types_known_differences.tsv, each with its reason.
//
// POLARSIM_TYPES_CALLS and POLARSIM_TYPES_SEED in the environment make a longer or another run; POLARSIM_TYPES_ONLY is
// a part of the names of the entries to run.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "engine/types/order.h"
#include "scenarios/cli/postgres/postgres_server.h"
#include "scenarios/cli/postgres/types_calls.h"
#include "scenarios/cli/postgres/types_reference.h"

namespace polarsim::scenarios::cli::test {
namespace {

using namespace engine;

constexpr std::size_t calls_by_default = 120'000;
constexpr std::size_t batch_size = 500;

// One server for all tests; it ends with the process.
const PostgresServer& server() {
  static const PostgresServer running;
  return running;
}

TypesReference& reference() {
  static TypesReference made(server().connection(), "UTC");
  return made;
}

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// What is known to differ. A line: the entry, or its beginning and "*"; a part of "ours <> theirs", or "-" for any;
// why.
class KnownDifferences {
 public:
  KnownDifferences() {
    std::ifstream file(std::string(POLARSIM_TYPES_DATA) + "/types_known_differences.tsv");
    for (std::string line; std::getline(file, line);) {
      if (line.empty() || line.front() == '#') continue;
      std::istringstream fields(line);
      Line& known = lines_.emplace_back();
      std::getline(fields, known.entry, '\t');
      std::getline(fields, known.part, '\t');
      std::getline(fields, known.reason, '\t');
      if (known.reason.empty()) throw std::runtime_error("a known difference has no reason: " + line);
    }
  }
  bool contains(const std::string& entry, const std::string& difference) const {
    return std::ranges::any_of(lines_, [&](const Line& known) {
      const bool all = known.entry.ends_with('*');
      const std::string_view start = std::string_view(known.entry).substr(0, known.entry.size() - (all ? 1 : 0));
      if (all ? !entry.starts_with(start) : entry != start) return false;
      return known.part == "-" || difference.find(known.part) != std::string::npos;
    });
  }

 private:
  struct Line {
    std::string entry;
    std::string part;
    std::string reason;
  };
  std::vector<Line> lines_;
};

const KnownDifferences& known_differences() {
  static const KnownDifferences differences;
  return differences;
}

// Makes a random call of one entry.
using Maker = std::function<std::optional<TypesCall>(TypesCalls&)>;

std::vector<Maker> all_makers() {
  std::vector<Maker> makers;
  for (const FunctionEntry& entry : all_functions())
    makers.emplace_back([&entry](TypesCalls& calls) { return calls.of_function(entry); });
  for (const OperatorEntry& entry : all_operators())
    makers.emplace_back([&entry](TypesCalls& calls) { return calls.of_operator(entry); });
  std::vector<TypeId> types;
  for (const TypeInfo& info : all_types()) {
    const TypeId element = info.element == TypeId::none ? info.id : info.element;
    const bool shows_objects = element == TypeId::regclass || element == TypeId::regproc ||
                               element == TypeId::regnamespace || element == TypeId::regtype;
    if (has_text_form(info.id) && !is_pseudo_type(element) && !shows_objects && info.id != TypeId::unknown)
      types.push_back(info.id);
  }
  for (const TypeId type : types) {
    for (int weight = 0; weight < 8; ++weight)
      makers.emplace_back([type](TypesCalls& calls) { return calls.of_input(type); });
    if (is_ordered(type)) {
      for (int weight = 0; weight < 4; ++weight)
        makers.emplace_back([type](TypesCalls& calls) { return calls.of_order(type); });
    }
  }
  for (const TypeId source : types) {
    for (const TypeId target : types)
      makers.emplace_back([source, target](TypesCalls& calls) { return calls.of_conversion(source, target); });
  }
  return makers;
}

struct Differences {
  std::size_t count = 0;
  std::vector<std::string> examples;
};

class Comparison {
 public:
  explicit Comparison(TypesReference& reference) : reference_(reference) {}
  void add(TypesCall call) {
    pending_.push_back(std::move(call));
    if (pending_.size() == batch_size) flush();
  }
  void flush() {
    std::vector<std::string> queries;
    for (const TypesCall& call : pending_) queries.push_back(call.query);
    const std::vector<Outcome> theirs = reference_.ask(queries);
    for (std::size_t i = 0; i < pending_.size(); ++i) compare(pending_[i], theirs[i]);
    compared_ += pending_.size();
    pending_.clear();
  }
  std::size_t compared() const { return compared_; }
  std::string summary() const {
    return fmt::format("{} calls of {} entries, {} errors", compared_, entries_.size(), errors_);
  }
  const std::map<std::string, Differences>& differences() const { return differences_; }

 private:
  void compare(const TypesCall& call, const Outcome& theirs) {
    entries_.insert(call.entry);
    if (theirs.kind == Outcome::Kind::error) ++errors_;
    if (call.ours == theirs) return;
    const std::string difference = call.ours.shown() + " <> " + theirs.shown();
    if (known_differences().contains(call.entry, difference)) return;
    Differences& all = differences_[call.entry];
    if (++all.count <= 3)
      all.examples.push_back(call.expression + "\n      ours   " + call.ours.shown() + "\n      theirs " +
                             theirs.shown());
  }

  TypesReference& reference_;
  std::vector<TypesCall> pending_;
  std::map<std::string, Differences> differences_;
  std::set<std::string> entries_;
  std::size_t compared_ = 0;
  std::size_t errors_ = 0;
};

void compare_random_calls(std::uint64_t wanted, TypesReference& with, const char* time_zone) {
  TypesCalls calls(number_from_environment("POLARSIM_TYPES_SEED", 1), time_zone);
  const char* const only = std::getenv("POLARSIM_TYPES_ONLY");
  std::vector<Maker> makers = all_makers();
  Comparison comparison(with);
  std::size_t made = 0;
  for (std::size_t round = 0; made < wanted && !makers.empty(); ++round) {
    // Entries that never can be called leave after the first round.
    std::vector<Maker> callable;
    for (Maker& make : makers) {
      std::optional<TypesCall> call = make(calls);
      for (int attempts = 1; !call && round == 0 && attempts < 10; ++attempts) call = make(calls);
      const bool counts = call && (only == nullptr || call->entry.find(only) != std::string::npos);
      if (counts || (call && only == nullptr) || (round > 0 && !call)) callable.push_back(std::move(make));
      if (!counts) continue;
      comparison.add(std::move(*call));
      if (++made == wanted) break;
    }
    if (made < wanted) makers = std::move(callable);
  }
  comparison.flush();
  EXPECT_GE(comparison.compared(), std::min<std::size_t>(wanted, only == nullptr ? wanted : 1));
  std::string report;
  for (const auto& [entry, all] : comparison.differences()) {
    report += fmt::format("{}: {} differences\n", entry, all.count);
    for (const std::string& example : all.examples) report += "    " + example + "\n";
  }
  std::cout << comparison.summary() << '\n';
  EXPECT_TRUE(report.empty()) << report << comparison.differences().size() << " entries differ";
}

TEST(TypesAgainstPostgres, RandomCallsGiveTheSame) {
  compare_random_calls(number_from_environment("POLARSIM_TYPES_CALLS", calls_by_default), reference(), "UTC");
}

// Where clocks change, and not by whole hours.
TEST(TypesAgainstPostgres, RandomCallsGiveTheSameInAnotherTimeZone) {
  constexpr const char* time_zone = "Australia/Lord_Howe";
  TypesReference there(server().connection(), time_zone);
  compare_random_calls(number_from_environment("POLARSIM_TYPES_CALLS", calls_by_default) / 3, there, time_zone);
}

std::string type_list(const std::vector<TypeId>& types) {
  std::string text;
  for (const TypeId type : types) text += (text.empty() ? "" : " ") + std::to_string(type_oid(type));
  return text;
}

std::string flag(bool value) { return value ? "t" : "f"; }

// Reports what our entry says and theirs does not.
void expect_same(const std::string& entry, const std::vector<std::string>& ours,
                 const std::vector<std::string>* theirs) {
  if (theirs != nullptr && *theirs == ours) return;
  const std::string difference = fmt::format(
      "{} <> {}", fmt::join(ours, ","), theirs == nullptr ? "nothing" : fmt::format("{}", fmt::join(*theirs, ",")));
  if (!known_differences().contains("catalog " + entry, difference)) ADD_FAILURE() << entry << ": " << difference;
}

using Rows = std::map<std::string, std::vector<std::string>>;

// By the first column.
Rows by_key(const std::string& query) {
  Rows rows;
  for (std::vector<std::string>& row : reference().rows(query)) {
    std::string key = row.front();
    row.erase(row.begin());
    rows.emplace(std::move(key), std::move(row));
  }
  return rows;
}

const std::vector<std::string>* find(const Rows& rows, const std::string& key) {
  const auto found = rows.find(key);
  return found == rows.end() ? nullptr : &found->second;
}

TEST(TypesAgainstPostgres, FunctionsAreThoseOfTheCatalog) {
  const Rows rows = by_key(
      "select proname || '(' || proargtypes::text || ')', prorettype, prokind, provolatile, proisstrict, provariadic "
      "<> 0, "
      "proretset, pronargdefaults from pg_proc where pronamespace = 'pg_catalog'::regnamespace");
  for (const FunctionEntry& entry : all_functions()) {
    const bool set = entry.kind == FunctionKind::set;
    // An aggregate's strictness is that of its transition function there.
    const std::vector<std::string>* theirs = find(rows, fmt::format("{}({})", entry.name, type_list(entry.arguments)));
    std::vector<std::string> ours{std::to_string(type_oid(entry.result)),
                                  std::string(1, set ? 'f' : static_cast<char>(entry.kind)),
                                  std::string(1, static_cast<char>(entry.volatility)),
                                  flag(entry.strict),
                                  flag(entry.variadic),
                                  flag(set),
                                  std::to_string(entry.defaults.size())};
    if (entry.kind == FunctionKind::aggregate && theirs != nullptr) ours[3] = (*theirs)[3];
    expect_same(name_of(entry), ours, theirs);
  }
}

TEST(TypesAgainstPostgres, OperatorsAreThoseOfTheCatalog) {
  const Rows rows = by_key(
      "select oprname || ' ' || oprleft || ' ' || oprright, oprresult, p.proname, "
      "coalesce((select c.oprname from pg_operator c where c.oid = o.oprcom), ''), "
      "coalesce((select n.oprname from pg_operator n where n.oid = o.oprnegate), ''), "
      "oprcanhash and oprname = '=', provolatile, proisstrict from pg_operator o join pg_proc p on p.oid = oprcode");
  for (const OperatorEntry& entry : all_operators()) {
    const auto text = [](const char* symbol) { return std::string(symbol == nullptr ? "" : symbol); };
    expect_same(
        name_of(entry),
        {std::to_string(type_oid(entry.result)), entry.function_name, text(entry.commutator), text(entry.negator),
         flag(entry.hashable), std::string(1, static_cast<char>(entry.volatility)), flag(entry.strict)},
        find(rows, fmt::format("{} {} {}", entry.symbol, type_oid(entry.left), type_oid(entry.right))));
  }
}

TEST(TypesAgainstPostgres, CastsAreThoseOfTheCatalog) {
  const Rows rows = by_key(
      "select castsource || ' ' || casttarget, castcontext, coalesce(provolatile, 'i') from pg_cast left join pg_proc "
      "p "
      "on p.oid = castfunc");
  for (const CastEntry& entry : all_casts()) {
    expect_same(fmt::format("cast {} -> {}", type_name(entry.source), type_name(entry.target)),
                {std::string(1, static_cast<char>(entry.context)), std::string(1, static_cast<char>(entry.volatility))},
                find(rows, fmt::format("{} {}", type_oid(entry.source), type_oid(entry.target))));
  }
}

TEST(TypesAgainstPostgres, TypesAreThoseOfTheCatalog) {
  const Rows rows = by_key(
      "select oid, typname, format_type(oid, null), typcategory, typispreferred, typarray, typlen, "
      "case when typsubscript = 'array_subscript_handler'::regproc then typelem else 0 end from pg_type");
  for (const TypeInfo& info : all_types()) {
    expect_same(
        fmt::format("type {}", info.name),
        {info.name, info.display_name, std::string(1, static_cast<char>(info.category)), flag(info.preferred),
         std::to_string(type_oid(info.array)), std::to_string(info.length), std::to_string(type_oid(info.element))},
        find(rows, std::to_string(type_oid(info.id))));
  }
}

}  // namespace
}  // namespace polarsim::scenarios::cli::test
