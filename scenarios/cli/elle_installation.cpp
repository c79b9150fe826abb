#include "scenarios/cli/elle_installation.h"

#include <fmt/format.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "checkers/history.h"
#include "scenarios/artifacts.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/terminal.h"
#include "scenarios/elle_opinions.h"

namespace polarsim::scenarios::cli {

namespace {

namespace fs = std::filesystem;

// Debian's, for a class path that brings no Clojure of its own.
constexpr const char* clojure_jars[] = {"/usr/share/java/clojure.jar", "/usr/share/java/spec.alpha.jar",
                                        "/usr/share/java/core.specs.alpha.jar"};

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ":") + part;
  return text;
}

ElleInstallation elle_of_variable(const std::string& value) {
  ElleInstallation installation{elle_classpath_variable, split(value, ':')};
  if (installation.classpath.empty())
    throw UsageError(fmt::format("{}: names no jar and no folder", elle_classpath_variable));
  for (const std::string& part : installation.classpath) {
    std::error_code error;
    if (!fs::exists(part, error)) throw UsageError(fmt::format("{}: {} is not there", elle_classpath_variable, part));
  }
  return installation;
}

// What a JVM says of a class path that lacks something, with what to do about it.
std::string advice(const std::string& reason) {
  if (reason.find("clojure.main") != std::string::npos)
    return "; install Debian's package clojure, or add Clojure's jar to the class path";
  if (reason.find("UnsupportedClassVersionError") != std::string::npos)
    return "; this Java is too old for a class on the class path";
  return "";
}

}  // namespace

std::string elle_folder() {
  // A relative one is to be ignored, says the XDG specification.
  std::string cache = environment("XDG_CACHE_HOME");
  if (!cache.starts_with('/')) {
    const std::string home = environment("HOME");
    if (home.empty()) throw UsageError("elle: neither XDG_CACHE_HOME nor HOME says where to keep it");
    cache = home + "/.cache";
  }
  return fmt::format("{}/polarsim/elle/{}", cache, elle_release);
}

std::string sha256_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  sha256_ctx context;
  ::sha256_init(&context);
  std::array<char, 64 * 1024> buffer;
  while (stream) {
    stream.read(buffer.data(), buffer.size());
    ::sha256_update(&context, static_cast<std::size_t>(stream.gcount()),
                    reinterpret_cast<const std::uint8_t*>(buffer.data()));
  }
  if (!stream.eof()) throw UsageError(fmt::format("{}: cannot read", file));
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
  ::sha256_digest(&context, digest.size(), digest.data());
  std::string text;
  for (const std::uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

ElleInstallation installed_elle(const std::string& folder) {
  ElleInstallation installation{folder, {}};
  const std::string list = folder + "/" + elle_checksums_file;
  std::ifstream stream(list);
  if (!stream) throw UsageError(fmt::format("{}: cannot read", list));
  const std::string remedy = "; remove the folder and run `polarsim elle install` again";
  for (std::string line; std::getline(stream, line);) {
    const std::size_t space = line.find("  ");
    if (space != 64) throw UsageError(fmt::format("{}: expected lines as of sha256sum{}", list, remedy));
    const std::string file = folder + "/" + line.substr(space + 2);
    std::error_code error;
    if (!fs::is_regular_file(file, error)) throw UsageError(fmt::format("{}: is not there any more{}", file, remedy));
    if (sha256_of(file) != line.substr(0, space))
      throw UsageError(fmt::format("{}: is not what was installed{}", file, remedy));
    // Classes that were compiled here come before the jar that has them for a newer Java.
    const std::string classes = folder + "/classes";
    if (file.ends_with(".jar")) {
      installation.classpath.push_back(file);
    } else if (installation.classpath.empty() || installation.classpath.front() != classes) {
      installation.classpath.insert(installation.classpath.begin(), classes);
    }
  }
  if (installation.classpath.empty()) throw UsageError(fmt::format("{}: is empty{}", list, remedy));
  return installation;
}

ElleInstallation find_elle() {
  const std::string variable = environment(elle_classpath_variable);
  if (!variable.empty()) return elle_of_variable(variable);
  const std::string folder = elle_folder();
  std::error_code error;
  if (!fs::exists(folder + "/" + elle_checksums_file, error)) {
    throw UsageError(
        fmt::format("elle: the real Elle is not here: `polarsim elle install` downloads release {} into {}, and {} "
                    "names one that is there already (jars or folders, separated by ':')",
                    elle_release, folder, elle_classpath_variable));
  }
  return installed_elle(folder);
}

std::string find_program(const std::string& name, const std::string& package) {
  for (const std::string& folder : split(environment("PATH"), ':')) {
    const std::string path = folder + "/" + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  throw UsageError(fmt::format("elle: there is no program {}; install Debian's package {}", name, package));
}

std::string find_java() {
  const std::string home = environment("JAVA_HOME");
  if (!home.empty() && ::access((home + "/bin/java").c_str(), X_OK) == 0) return home + "/bin/java";
  return find_program("java", "default-jre-headless");
}

std::unique_ptr<ElleProcess> start_elle(const ElleInstallation& installation) {
  std::vector<std::string> classpath = installation.classpath;
  for (const char* jar : clojure_jars) {
    std::error_code error;
    if (fs::exists(jar, error)) classpath.emplace_back(jar);
  }
  ElleProcessOptions options;
  options.command = {find_java(),
                     "-Djava.awt.headless=true",
                     "-Dfile.encoding=UTF-8",
                     "-XX:+ExitOnOutOfMemoryError",
                     "-XX:+DisplayVMOutputToStderr",
                     "-cp",
                     joined(classpath),
                     "clojure.main"};
  options.script = checkers::elle_bridge_script();
  options.wall_seconds = wall_seconds;
  options.interrupted = interrupted;
  auto elle = std::make_unique<ElleProcess>(std::move(options));
  ProgressLine line;
  line.update([] { return std::string("starting Elle"); });
  if (const auto started = elle->start(); !started) {
    line.clear();
    if (interrupted()) throw Interrupted{};
    const std::string& reason = started.error().message;
    throw UsageError(fmt::format("elle: cannot start what {} has: {}{}", installation.source, reason, advice(reason)));
  }
  return elle;
}

std::unique_ptr<ElleProcess> start_elle() { return start_elle(find_elle()); }

std::string elle_name(const ElleProcess& elle) { return elle.version().empty() ? "Elle" : "Elle " + elle.version(); }

HistoryForElle::HistoryForElle(const checkers::History& history) {
  path_ = (fs::temp_directory_path() / "polarsim-elle-XXXXXX").string();
  const int file = ::mkstemp(path_.data());
  if (file < 0) throw UsageError(fmt::format("{}: cannot make a file for Elle", path_));
  ::close(file);
  std::ofstream stream(path_, std::ios::binary);
  checkers::write_edn(history, stream);
  stream.close();
  if (stream) return;
  ::unlink(path_.c_str());
  throw UsageError(fmt::format("{}: cannot write the history for Elle", path_));
}

HistoryForElle::~HistoryForElle() { ::unlink(path_.c_str()); }

std::vector<checkers::SecondOpinion> second_opinions(ElleProcess& elle, const std::vector<checkers::OwnOpinion>& own,
                                                     const std::string& history_file) {
  std::vector<checkers::SecondOpinion> opinions;
  for (const checkers::OwnOpinion& opinion : own) {
    const auto answer = elle.answer_to(request_for(opinion, fs::absolute(history_file).string()));
    if (interrupted()) throw Interrupted{};
    opinions.push_back(checkers::compare_with_elle(opinion, answer));
  }
  return opinions;
}

}  // namespace polarsim::scenarios::cli
