// `polarsim elle`: the real Elle's release into the user's cache, whole or not at all.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "scenarios/artifacts.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/elle_installation.h"
#include "scenarios/cli/exit_status.h"
#include "scenarios/cli/terminal.h"

namespace polarsim::scenarios::cli {

namespace {

namespace fs = std::filesystem;

// Of the Maven plugin that copies a class path into a folder.
constexpr const char* dependency_plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.5.0";

// Released artifacts never change, and the descriptors of Elle and of all that it needs name exact versions: this
// decides every file. Maven itself knows Maven Central.
std::string maven_project() {
  return fmt::format(R"(<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>polarsim</groupId>
  <artifactId>elle</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <repositories>
    <repository>
      <id>clojars</id>
      <url>https://repo.clojars.org</url>
      <releases><checksumPolicy>fail</checksumPolicy></releases>
      <snapshots><enabled>false</enabled></snapshots>
    </repository>
  </repositories>
  <dependencies>
    <dependency><groupId>elle</groupId><artifactId>elle</artifactId><version>{}</version></dependency>
  </dependencies>
</project>
)",
                     elle_release);
}

// A folder beside the one to be installed, removed with all that is in it unless it is kept under that name.
class PartialInstallation {
 public:
  explicit PartialInstallation(const std::string& folder) {
    std::error_code error;
    fs::create_directories(fs::path(folder).parent_path(), error);
    path_ = folder + ".part-XXXXXX";
    if (error || ::mkdtemp(path_.data()) == nullptr)
      throw UsageError(
          fmt::format("elle install: {}: cannot make a folder there", fs::path(folder).parent_path().string()));
  }
  ~PartialInstallation() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  PartialInstallation(const PartialInstallation&) = delete;
  PartialInstallation& operator=(const PartialInstallation&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  void keep_as(const std::string& folder) const {
    std::error_code error;
    fs::remove_all(folder, error);  // one that is not complete
    fs::rename(path_, folder, error);
    if (error) throw UsageError(fmt::format("elle install: {}: {}", folder, error.message()));
  }

 private:
  std::string path_;
};

void write(const std::string& file, const std::string& text) {
  if (const auto written = write_file(file, text); !written)
    throw UsageError("elle install: " + written.error().message);
}

struct ProgramOutput {
  int status = 0;
  std::string text;  // stdout and stderr
};

std::string content_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Runs a program in a folder to its end. Throws Interrupted once it has ended, if SIGINT has arrived meanwhile.
ProgramOutput run_program(const std::vector<std::string>& arguments, const PartialInstallation& folder,
                          const std::string& label) {
  const std::string log = folder / "output";
  const pid_t process = ::fork();
  if (process < 0) throw std::system_error(errno, std::generic_category(), "cannot start " + arguments.front());
  if (process == 0) {
    ::signal(SIGINT, SIG_DFL);
    const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (output < 0 || input < 0 || ::chdir(folder.path().c_str()) != 0) ::_exit(127);
    ::dup2(input, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::execv(argv.front(), argv.data());
    ::_exit(127);
  }
  ProgressLine line;
  int status = 0;
  bool told = false;
  for (;;) {
    const pid_t ended = ::waitpid(process, &status, WNOHANG);
    if (ended == process || (ended < 0 && errno != EINTR)) break;
    // The terminal sends SIGINT to both; one that was sent to this process alone ends the other, too.
    if (interrupted() && !told) {
      told = true;
      ::kill(process, SIGTERM);
    }
    line.update([&] { return label; });
    ::poll(nullptr, 0, 100);
  }
  line.clear();
  if (interrupted()) throw Interrupted{};
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), content_of(log)};
}

// The first error that Maven or a compiler tells, else its last line.
std::string first_error(const std::string& output) {
  std::istringstream stream(output);
  std::string last;
  for (std::string line; std::getline(stream, line);) {
    const std::size_t error = line.find("[ERROR] ");
    if (error != std::string::npos) return line.substr(error + 8);
    if (line.find("error: ") != std::string::npos) return line;
    if (!line.empty()) last = line;
  }
  return last.empty() ? "it said nothing" : last;
}

void download(const PartialInstallation& partial, const std::string& maven) {
  write(partial / "pom.xml", maven_project());
  // A repository of its own, because half a download in the user's would be remembered there.
  const ProgramOutput output = run_program(
      {maven, "-B", "-ntp", "--strict-checksums", "-f", partial / "pom.xml",
       "-Dmaven.repo.local=" + (partial / "repository"), std::string(dependency_plugin) + ":copy-dependencies",
       "-DincludeScope=runtime", "-DoutputDirectory=" + (partial / "jars")},
      partial, fmt::format("downloading Elle {} with Maven", elle_release));
  if (output.status != 0) {
    throw UsageError(fmt::format("elle install: Maven could not download Elle {}, and nothing was installed: {}",
                                 elle_release, first_error(output.text)));
  }
}

std::vector<std::string> jars_in(const std::string& folder) {
  std::vector<std::string> jars;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".jar") jars.push_back(entry.path().string());
  }
  std::sort(jars.begin(), jars.end());
  return jars;
}

// Whether the Java that is here understands a class of Elle's jar: the release is compiled for a newer one than Debian
// 12 has.
std::string problem_of(const ElleInstallation& installation) {
  try {
    start_elle(installation);
    return "";
  } catch (const UsageError& error) {
    return error.what();
  }
}

// Elle's jar brings the sources of its few classes that are written in Java.
void compile_classes(const PartialInstallation& partial, const std::vector<std::string>& jars) {
  const std::string jdk = "default-jdk-headless, with which Elle's classes can be compiled for this Java";
  const std::string javac = find_program("javac", jdk);
  const std::string unpack = find_program("jar", jdk);
  const auto elle = std::find_if(jars.begin(), jars.end(), [](const std::string& jar) {
    return fs::path(jar).filename().string().starts_with("elle-");
  });
  if (elle == jars.end()) throw UsageError("elle install: what Maven brought has no jar of Elle");
  std::string classpath;
  for (const std::string& jar : jars) classpath += (classpath.empty() ? "" : ":") + jar;
  run_program({unpack, "xf", *elle, "elle"}, partial, "unpacking Elle's sources");
  std::vector<std::string> command{javac, "-nowarn", "-proc:none", "-implicit:none",
                                   "-cp", classpath, "-d",         partial / "classes"};
  const std::size_t options = command.size();
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(partial / "elle", error)) {
    if (entry.path().extension() == ".java") command.push_back(entry.path().string());
  }
  std::sort(command.begin() + static_cast<std::ptrdiff_t>(options), command.end());
  const ProgramOutput output = run_program(command, partial, "compiling Elle's classes");
  if (output.status != 0) {
    throw UsageError(
        fmt::format("elle install: cannot compile Elle's classes for this Java, and nothing was installed: {}",
                    first_error(output.text)));
  }
  fs::remove_all(partial / "elle", error);
}

void write_checksums(const PartialInstallation& partial) {
  std::vector<std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(partial.path())) {
    if (entry.is_regular_file()) files.push_back(fs::relative(entry.path(), partial.path()).string());
  }
  std::sort(files.begin(), files.end());
  std::string text;
  for (const std::string& file : files) text += sha256_of(partial / file) + "  " + file + "\n";
  write(partial / elle_checksums_file, text);
}

void install(const std::string& folder) {
  find_java();
  const std::string maven = find_program("mvn", "maven");
  const PartialInstallation partial(folder);
  download(partial, maven);
  ElleInstallation installation{"Maven", jars_in(partial / "jars")};
  if (installation.classpath.empty()) throw UsageError("elle install: Maven brought no jar, and nothing was installed");
  std::string problem = problem_of(installation);
  if (problem.find("UnsupportedClassVersionError") != std::string::npos) {
    compile_classes(partial, installation.classpath);
    installation.classpath.insert(installation.classpath.begin(), partial / "classes");
    problem = problem_of(installation);
  }
  if (!problem.empty())
    throw UsageError(
        fmt::format("elle install: what Maven brought does not work, and nothing was installed: {}", problem));
  std::error_code ignored;
  for (const char* rest : {"repository", "pom.xml", "output"}) fs::remove_all(partial / rest, ignored);
  write_checksums(partial);
  partial.keep_as(folder);
}

int status() {
  const ElleInstallation installation = find_elle();
  const auto elle = start_elle(installation);
  print(fmt::format(
      "{} is here and answers: {}, {} on its class path\n", elle_name(*elle), installation.source,
      installation.classpath.size() == 1 ? "1 entry" : fmt::format("{} entries", installation.classpath.size())));
  return exit_status::passed;
}

}  // namespace

int elle_command(const ElleOptions& options) {
  if (options.action == "status") return status();
  const std::string folder = elle_folder();
  std::error_code error;
  if (!fs::exists(folder + "/" + elle_checksums_file, error)) install(folder);
  const auto elle = start_elle(installed_elle(folder));
  print(fmt::format("{} is installed in {}\n", elle_name(*elle), folder));
  return exit_status::passed;
}

}  // namespace polarsim::scenarios::cli
