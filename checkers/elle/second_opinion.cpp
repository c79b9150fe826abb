#include "checkers/elle/second_opinion.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <utility>

#include "checkers/consistency_models.h"
#include "checkers/edn_scanner.h"
#include "checkers/levels.h"

namespace polarsim::checkers {

namespace {

// For how long Elle looks for cycles in one component of a graph. Its default of one second makes its verdict depend on
// what else the machine does; more than this would make it slower than worth while.
constexpr int cycle_search_ms = 10'000;

// --- EDN out ---

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '\n') {
      result += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

// --- EDN in ---

using Fields = std::map<std::string, std::string_view, std::less<>>;

// A map of keywords to forms of any kind; nothing if the line is no such map.
std::optional<Fields> fields_of(std::string_view line) {
  EdnScanner scanner(line);
  Fields fields;
  if (!scanner.skip_blanks() || !scanner.take('{')) return std::nullopt;
  while (scanner.skip_blanks() && !scanner.at_end()) {
    if (scanner.take('}')) {
      if (!scanner.skip_blanks() || !scanner.at_end()) return std::nullopt;
      return fields;
    }
    const std::string_view key = scanner.take_atom();
    if (!key.starts_with(':') || !scanner.skip_blanks()) return std::nullopt;
    const std::size_t start = scanner.position();
    if (!scanner.skip_form()) return std::nullopt;
    fields.emplace(key.substr(1), scanner.since(start));
  }
  return std::nullopt;
}

// A vector of keywords, by name; nothing if the form is something else.
std::optional<std::vector<std::string>> keywords_of(std::string_view form) {
  EdnScanner scanner(form);
  std::vector<std::string> names;
  if (!scanner.take('[')) return std::nullopt;
  while (scanner.skip_blanks() && !scanner.at_end()) {
    if (scanner.take(']')) return names;
    const std::string_view atom = scanner.take_atom();
    if (atom.size() < 2 || atom[0] != ':') return std::nullopt;
    names.emplace_back(atom.substr(1));
  }
  return std::nullopt;
}

std::string text_of(std::string_view form) {
  if (form.size() < 2 || form.front() != '"' || form.back() != '"') return std::string(form);
  std::string text;
  for (std::size_t i = 1; i + 1 < form.size(); ++i) {
    if (form[i] == '\\' && i + 2 < form.size()) {
      ++i;
      text += form[i] == 'n' || form[i] == 't' || form[i] == 'r' ? ' ' : form[i];
    } else {
      text += form[i];
    }
  }
  return text;
}

std::string shortened(std::string_view line) {
  constexpr std::size_t shown = 120;
  return std::string(line.substr(0, shown)) + (line.size() > shown ? " ..." : "");
}

tl::unexpected<std::string> not_an_answer(std::string_view line) {
  return tl::unexpected("expected an answer of Elle's bridge, found: " + shortened(line));
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string joined(const NameSet& names) { return joined(std::vector<std::string>(names.begin(), names.end())); }

// --- comparison ---

NameSet without(const NameSet& names, const NameSet& others) {
  NameSet result;
  std::set_difference(names.begin(), names.end(), others.begin(), others.end(), std::inserter(result, result.end()));
  return result;
}

bool meet(const NameSet& a, const NameSet& b) {
  return std::any_of(a.begin(), a.end(), [&](const std::string& name) { return b.contains(name); });
}

// What Elle never reports: see "Where verdicts differ from Elle's on purpose" in checkers/README.md.
bool is_unknown_to_elle(const std::string& anomaly, const std::string& checker) {
  static const NameSet names = {"thin-air-read", "lost-append", "lost-write", "partial-commit",
                                "MAV-cycle",     "BE-RC-cycle", "RA-cycle",   "CC-cycle"};
  return names.contains(anomaly) || (anomaly == "future-read" && checker == "rw-register");
}

// Our anomalies as Elle has them. It tells internal anomalies apart in no way.
NameSet in_elles_names(const OwnOpinion& own) {
  NameSet names;
  for (const std::string& name : own.found) {
    if (is_unknown_to_elle(name, own.checker)) continue;
    names.insert(name == "internal-own-write" ? "internal" : name);
  }
  return names;
}

struct Opinion {
  bool invalid = false;
  NameSet ruled_out;  // models
};

Opinion opinion_from(const NameSet& anomalies, const std::string& model) {
  return {meet(anomalies, anomalies_prohibited_by(model)), models_ruled_out_by(anomalies)};
}

Opinion opinion_of(const ElleAnswer& elle) {
  Opinion opinion{elle.validity == Validity::invalid, {elle.not_models.begin(), elle.not_models.end()}};
  opinion.ruled_out.insert(elle.also_not.begin(), elle.also_not.end());
  return opinion;
}

// Elle tells the models that it rules out only of a history that is not valid.
bool same(const Opinion& own, const Opinion& elle) {
  return own.invalid == elle.invalid && (!elle.invalid || own.ruled_out == elle.ruled_out);
}

std::string described(Validity validity, const std::vector<std::string>& anomalies) {
  std::string text = to_string(validity);
  if (!anomalies.empty()) text += " (" + joined(anomalies) + ")";
  return text;
}

std::string difference_text(const OwnOpinion& own, const ElleAnswer& elle, const Opinion& ours, const Opinion& elles) {
  std::string text = "polarsim says " + described(own.validity, own.found) + ", Elle says " +
                     described(elle.validity, elle.anomalies) + " at " + own.model;
  if (!elles.invalid) return text;
  if (const NameSet alone = without(ours.ruled_out, elles.ruled_out); !alone.empty())
    text += "; ruled out by polarsim alone: " + joined(alone);
  if (const NameSet alone = without(elles.ruled_out, ours.ruled_out); !alone.empty())
    text += "; ruled out by Elle alone: " + joined(alone);
  return text;
}

// Why a difference is no disagreement; empty if nothing known explains it.
std::string known_reason(const OwnOpinion& own, const NameSet& found, const ElleAnswer& elle, const Opinion& ours,
                         const Opinion& elles) {
  const NameSet anomalies(elle.anomalies.begin(), elle.anomalies.end());
  // A model that permits contradictory reads hides them, but not what follows from the order that was taken.
  const bool permitted = !anomalies_prohibited_by(own.model).contains("incompatible-order");
  if (found.contains("incompatible-order") && (permitted || anomalies.contains("incompatible-order")))
    return "of contradictory reads that are equally long Elle takes another for the order of versions";
  if (anomalies.contains("cycle-search-timeout") && without(elles.ruled_out, ours.ruled_out).empty())
    return "Elle's search for cycles ran out of time";
  if (own.options.linearizable_keys && anomalies.contains("cyclic-versions") && !found.contains("cyclic-versions")) {
    // What Elle says beside that must be what we say. It names no anomaly that the model permits, but counts it.
    NameSet others = anomalies;
    others.erase("cyclic-versions");
    const Opinion rest = opinion_from(others, own.model);
    if (rest.invalid == ours.invalid && without(rest.ruled_out, ours.ruled_out).empty() &&
        without(ours.ruled_out, elles.ruled_out).empty())
      return "with linearizable-keys Elle infers more of versions than real time tells";
  }
  return "";
}

}  // namespace

bool elle_judges(std::string_view checker) { return checker == "list-append" || checker == "rw-register"; }

std::string elle_model_of(std::string_view level) { return rules_of_level(level).model; }

std::string to_line(const ElleRequest& request) {
  std::string line = "{:id " + std::to_string(request.id) + ", :model " + quoted(request.checker) + ", :file " +
                     quoted(request.file) + ", :options {:consistency-models [:" + request.model +
                     "], :cycle-search-timeout " + std::to_string(cycle_search_ms);
  if (request.checker == "rw-register") {
    const std::pair<const char*, bool> sources[] = {{"wfr-keys?", request.options.wfr_keys},
                                                    {"sequential-keys?", request.options.sequential_keys},
                                                    {"linearizable-keys?", request.options.linearizable_keys}};
    for (const auto& [name, wanted] : sources) line += std::string(", :") + name + (wanted ? " true" : " false");
  }
  return line + "}}";
}

ElleAnswer no_answer(std::string reason) {
  ElleAnswer answer;
  answer.reason = std::move(reason);
  return answer;
}

tl::expected<ElleAnswer, std::string> parse_elle_answer(std::string_view line) {
  const auto fields = fields_of(line);
  if (!fields) return not_an_answer(line);
  ElleAnswer answer;
  const auto id = fields->find("id");
  if (id == fields->end()) return not_an_answer(line);
  const std::string_view digits = id->second;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), answer.id);
  if (error != std::errc() || end != digits.data() + digits.size()) return not_an_answer(line);
  if (const auto reason = fields->find("error"); reason != fields->end()) {
    answer.reason = text_of(reason->second);
    return answer;
  }
  const auto valid = fields->find("valid?");
  if (valid == fields->end()) return not_an_answer(line);
  if (valid->second == "true") {
    answer.validity = Validity::valid;
  } else if (valid->second == "false") {
    answer.validity = Validity::invalid;
  } else if (valid->second != ":unknown") {
    return not_an_answer(line);
  }
  const std::pair<const char*, std::vector<std::string>*> lists[] = {
      {"anomaly-types", &answer.anomalies}, {"not", &answer.not_models}, {"also-not", &answer.also_not}};
  for (const auto& [name, list] : lists) {
    const auto found = fields->find(name);
    if (found == fields->end()) return not_an_answer(line);
    auto names = keywords_of(found->second);
    if (!names) return not_an_answer(line);
    *list = *std::move(names);
  }
  if (answer.validity == Validity::unknown) answer.reason = "it says unknown: " + joined(answer.anomalies);
  return answer;
}

tl::expected<std::string, std::string> parse_elle_greeting(std::string_view line) {
  const auto fields = fields_of(line);
  if (fields) {
    if (const auto failed = fields->find("failed"); failed != fields->end())
      return tl::unexpected(text_of(failed->second));
    const auto ready = fields->find("ready");
    const auto version = fields->find("version");
    if (ready != fields->end() && ready->second == "true" && version != fields->end())
      return version->second == "nil" ? std::string() : text_of(version->second);
  }
  return tl::unexpected("expected the greeting of Elle's bridge, found: " + shortened(line));
}

OwnOpinion own_opinion(const Verdict& verdict, std::string model, const RegisterOptions& options) {
  OwnOpinion own{verdict.checker, std::move(model), options, verdict.validity, verdict.reason, {}};
  for (const auto& [name, count] : verdict.counts) {
    if (count > 0) own.found.push_back(name);
  }
  return own;
}

const char* to_string(Agreement agreement) {
  switch (agreement) {
    case Agreement::agreed:
      return "agreed";
    case Agreement::differs_as_known:
      return "differs-as-known";
    case Agreement::disagreed:
      return "elle-disagreement";
    case Agreement::no_verdict:
      return "no-verdict";
  }
  return "no-verdict";
}

SecondOpinion compare_with_elle(const OwnOpinion& own, const ElleAnswer& elle) {
  SecondOpinion second{own.checker, own.model, Agreement::no_verdict, "", own, elle};
  if (elle.validity == Validity::unknown) {
    second.explanation = "gave no verdict: " + elle.reason;
    return second;
  }
  if (own.validity == Validity::unknown) {
    second.explanation =
        std::string("says ") + to_string(elle.validity) + ", and polarsim gave no verdict: " + own.reason;
    return second;
  }
  const NameSet found = in_elles_names(own);
  const Opinion ours = opinion_from(found, own.model);
  const Opinion elles = opinion_of(elle);
  if (same(ours, elles)) {
    const bool as_said = ours.invalid == (own.validity == Validity::invalid);
    second.agreement = as_said ? Agreement::agreed : Agreement::differs_as_known;
    second.explanation = std::string(as_said ? "agrees: " : "differs as documented: it says ") +
                         to_string(elle.validity) + " at " + own.model;
    if (!as_said) second.explanation += ", and does not look for what polarsim found: " + joined(own.found);
    return second;
  }
  const std::string reason = known_reason(own, found, elle, ours, elles);
  second.agreement = reason.empty() ? Agreement::disagreed : Agreement::differs_as_known;
  second.explanation = (reason.empty() ? "elle-disagreement: " : "differs as documented (" + reason + "): ") +
                       difference_text(own, elle, ours, elles);
  return second;
}

}  // namespace polarsim::checkers
