// Where the real Elle is on this machine, and how its process is started.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scenarios/elle_process.h"

namespace polarsim::scenarios::cli {

// The release that `polarsim elle install` installs.
inline constexpr const char* elle_release = "0.2.7";
// The environment variable that names another one: jars and folders, separated by ':'.
inline constexpr const char* elle_classpath_variable = "POLARSIM_ELLE_CLASSPATH";
// In the folder of an installation: the SHA-256 of every file that its class path needs, as sha256sum writes it. It is
// the last file that an installation gets, so a folder that has it is complete.
inline constexpr const char* elle_checksums_file = "SHA256SUMS";

struct ElleInstallation {
  std::string source;                  // the variable's name, or the folder
  std::vector<std::string> classpath;  // in order; all of it is there
};

// The folder that this release is installed in: below XDG_CACHE_HOME, or ~/.cache. Throws UsageError if neither is
// known.
std::string elle_folder();
// What is to be used. Throws UsageError, with both ways to come by one, if there is none, and if what there is has
// been damaged.
ElleInstallation find_elle();
// What is installed in a folder, every file as it was. Throws UsageError.
ElleInstallation installed_elle(const std::string& folder);

// The program's path in PATH, or `java` below JAVA_HOME; throws UsageError that names the package that is missing.
std::string find_java();
std::string find_program(const std::string& name, const std::string& package);

// The lower-case hexadecimal SHA-256 of a file; throws UsageError if it cannot be read.
std::string sha256_of(const std::string& file);

// Starts Elle, and waits until it is ready. Throws UsageError that says why it is not, and Interrupted.
std::unique_ptr<ElleProcess> start_elle(const ElleInstallation& installation);
std::unique_ptr<ElleProcess> start_elle();
// "Elle 0.2.7", or "Elle" where it does not know its version.
std::string elle_name(const ElleProcess& elle);

// A history that Elle can read, in a file of its own that is removed at the end. Throws UsageError.
class HistoryForElle {
 public:
  explicit HistoryForElle(const checkers::History& history);
  ~HistoryForElle();
  HistoryForElle(const HistoryForElle&) = delete;
  HistoryForElle& operator=(const HistoryForElle&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Asks Elle about a history and holds its answers beside our opinions, each in turn. Throws Interrupted.
std::vector<checkers::SecondOpinion> second_opinions(ElleProcess& elle, const std::vector<checkers::OwnOpinion>& own,
                                                     const std::string& history_file);

}  // namespace polarsim::scenarios::cli
