// The real Elle (Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations") beside our
// own checkers: what it is asked, what it answered, and whether that contradicts us. Text in, text out: the process
// that runs Elle is started elsewhere (scenarios/elle_process.h); README.md tells the protocol.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "checkers/checkers.h"
#include "checkers/verdict.h"

namespace polarsim::checkers {

// The program that answers: a script for clojure.main on a class path that has Elle.
std::string_view elle_bridge_script();

// True of the checkers whose histories Elle understands, too.
bool elle_judges(std::string_view checker);

// The consistency model, by Elle's name, that a level asks Elle about. Elle knows nothing of MAV, BE-RC, RA and CC: of
// those it is asked for read-committed, which each of them includes. Precondition: is_known_level(level).
std::string elle_model_of(std::string_view level);

struct ElleRequest {
  std::int64_t id = 0;
  std::string checker;      // "list-append" or "rw-register"
  std::string model;        // as elle_model_of() gives it
  RegisterOptions options;  // for rw-register
  std::string file;         // an EDN history; relative to the folder that Elle's process runs in
};
// Without the end of the line.
std::string to_line(const ElleRequest& request);

struct ElleAnswer {
  std::int64_t id = 0;
  // Unknown where Elle said so, and where it gave no answer at all: `reason` then says why.
  Validity validity = Validity::unknown;
  std::vector<std::string> anomalies;
  std::vector<std::string> not_models;
  std::vector<std::string> also_not;
  std::string reason;
  friend bool operator==(const ElleAnswer&, const ElleAnswer&) = default;
};
ElleAnswer no_answer(std::string reason);

// The error says in one line what there was instead of an answer.
tl::expected<ElleAnswer, std::string> parse_elle_answer(std::string_view line);
// The first line that the process says: Elle's version (empty: it does not know), or why it cannot begin.
tl::expected<std::string, std::string> parse_elle_greeting(std::string_view line);

// What is compared with Elle's answer: our verdict at the model that Elle was asked for.
struct OwnOpinion {
  std::string checker;
  std::string model;
  RegisterOptions options;
  Validity validity = Validity::valid;
  std::string reason;              // for unknown
  std::vector<std::string> found;  // names of all that was found, what the model permits included
};
OwnOpinion own_opinion(const Verdict& verdict, std::string model, const RegisterOptions& options = {});

enum class Agreement : std::uint8_t {
  agreed,            // on validity, and on the models that are ruled out
  differs_as_known,  // for a reason that README.md and docs/checkers.md state
  disagreed,         // one of the two is wrong
  no_verdict,        // Elle or we say unknown
};
const char* to_string(Agreement agreement);

struct SecondOpinion {
  std::string checker;
  std::string model;
  Agreement agreement = Agreement::no_verdict;
  std::string explanation;  // one line for a person, whose subject is Elle: "agrees: valid at serializable"
  OwnOpinion own;
  ElleAnswer elle;
};
// Beside validity the models that are ruled out are compared, where Elle tells them: not the names of the anomalies,
// because Elle settles on the first cycle that it meets.
SecondOpinion compare_with_elle(const OwnOpinion& own, const ElleAnswer& elle);

}  // namespace polarsim::checkers
