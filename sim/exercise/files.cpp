// What one life sees of its own files and directories: names, sizes and contents are those that it has written.
#include <algorithm>

#include "sim/exercise/file_truth.h"

namespace polarsim::sim::exercise {

using namespace std::chrono_literals;

namespace {

// A tree of fixed shape, whose directories come and go: up to two directories, and one within each.
class Scribbler {
 public:
  Scribbler(World& world, Host& host, const std::string& label)
      : world_(world), host_(host), disk_(host.disk()), random_(host.random(label)), label_(label) {
    directories_.push_back(label);
    for (const char* name : {"/x", "/y"}) {
      directories_.push_back(label + name);
      directories_.push_back(label + name + "/in");
    }
  }

  void clean() {
    for (const std::string& path : disk_.list(label_ + "/")) static_cast<void>(disk_.remove(path));
    for (auto path = directories_.rbegin(); path != directories_.rend(); ++path) {
      static_cast<void>(disk_.remove_directory(*path));
    }
    world_.require(!disk_.exists(label_), "file-names", [&] { return label_ + " has outlived its removal"; });
    world_.require(disk_.make_directory(label_).has_value(), "file-names", [&] { return "making " + label_; });
    existing_[label_] = true;
  }

  void step() {
    const std::string path = pick_path();
    switch (random_.below(12)) {
      case 0:
        return remove(path);
      case 1:
      case 2:
        return rename(path, pick_path());
      case 3:
        return truncate(path);
      case 4:
        return static_cast<void>(disk_.sync_directory(random_.pick(directories_)));
      case 5:
        return compare_names();
      case 6:
        return compare(path);
      case 7:
        return make_directory(random_.pick(directories_));
      case 8:
        return remove_directory(random_.pick(directories_));
      case 9:
        return rename_directory();
      default:
        return write(path);
    }
  }

 private:
  std::string pick_path() {
    const std::string& directory = random_.pick(directories_);
    return directory + "/" + std::to_string(random_.below(3));
  }
  static std::string parent(const std::string& path) { return path.substr(0, path.rfind('/')); }
  bool is_directory(const std::string& path) const {
    const auto found = existing_.find(path);
    return found != existing_.end() && found->second;
  }
  bool has_children(const std::string& path) const {
    const auto holds = [&path](const auto& entry) { return entry.first.starts_with(path + "/"); };
    return std::any_of(model_.begin(), model_.end(), holds) ||
           std::any_of(existing_.begin(), existing_.end(),
                       [&](const auto& entry) { return entry.second && holds(entry); });
  }

  std::optional<File> open(const std::string& path, OpenFlags flags = {}) {
    auto file = disk_.open(path, OpenMode::create, flags);
    world_.require(file.has_value() == is_directory(parent(path)), "file-names", [&] { return "opening " + path; });
    if (!file) return std::nullopt;
    model_.try_emplace(path);
    return *file;
  }
  void write(const std::string& path) {
    const bool direct = random_.chance(0.3);
    auto file = open(path, {direct, false});
    std::uint64_t offset = random_.below(4000);
    auto size = static_cast<std::size_t>(random_.between(1, 2000));
    if (direct) {
      offset = offset / sector_bytes * sector_bytes;
      size = (size / sector_bytes + 1) * sector_bytes;
    }
    const std::string text = random_text(random_, size);
    const bool synced = random_.chance(0.3);
    if (!file) return;
    const auto written = file->write(offset, text);
    if (!written) return check_write_error(written.error(), path, offset, size, direct);
    world_.require(*written > 0 && *written <= size, "short-write", [&] { return path; });
    if (*written < size) world_.count("short write");
    if (direct) world_.count("direct write");
    std::string& contents = model_[path];
    contents.resize(std::max<std::size_t>(contents.size(), offset + *written));
    contents.replace(offset, *written, text, 0, *written);
    if (synced) static_cast<void>(file->sync());
  }
  // All or nothing; and nothing only for want of room, or of a sector that has to be read first.
  void check_write_error(DiskError error, const std::string& path, std::uint64_t offset, std::size_t size,
                         bool direct) {
    if (error == DiskError::no_space) return world_.count("no space");
    world_.require(error == DiskError::io_error && damage_shows(disk_, path, offset, size, direct, true),
                   "file-unwritable", [&] { return host_.name() + " " + path + ": " + to_string(error); });
  }
  void truncate(const std::string& path) {
    auto file = open(path);
    const std::uint64_t size = random_.below(5000);
    if (file && file->truncate(size)) model_[path].resize(size);
  }
  void remove(const std::string& path) {
    const bool removed = disk_.remove(path).has_value();
    world_.require(removed == (model_.erase(path) > 0), "file-names", [&] { return "removal of " + path; });
  }
  void rename(const std::string& from, const std::string& to) {
    const bool renamed = disk_.rename(from, to).has_value();
    world_.require(renamed == (model_.contains(from) && is_directory(parent(to))), "file-names",
                   [&] { return "rename of " + from + " to " + to; });
    if (!renamed || from == to) return;
    if (parent(from) != parent(to)) world_.count("renamed across directories");
    model_[to] = std::move(model_[from]);
    model_.erase(from);
  }
  void make_directory(const std::string& path) {
    const bool expected = !is_directory(path) && is_directory(parent(path));
    world_.require(disk_.make_directory(path).has_value() == expected, "file-names", [&] { return "making " + path; });
    if (expected) existing_[path] = true;
  }
  void remove_directory(const std::string& path) {
    if (path == label_) return;
    const bool expected = is_directory(path) && !has_children(path);
    world_.require(disk_.remove_directory(path).has_value() == expected, "file-names",
                   [&] { return "removal of directory " + path; });
    if (expected) existing_[path] = false;
  }
  // x becomes y with all that is in it, if there is nothing in y.
  void rename_directory() {
    const bool forth = random_.chance(0.5);
    const std::string from = label_ + (forth ? "/x" : "/y");
    const std::string to = label_ + (forth ? "/y" : "/x");
    const bool expected = is_directory(from) && !has_children(to);
    world_.require(disk_.rename(from, to).has_value() == expected, "file-names",
                   [&] { return "rename of directory " + from; });
    if (!expected) return;
    world_.count("directory renamed");
    existing_[to] = true;
    existing_[to + "/in"] = existing_[from + "/in"];
    existing_[from] = existing_[from + "/in"] = false;
    std::map<std::string, std::string> moved;
    for (auto& [path, contents] : model_) {
      const bool inside = path.starts_with(from + "/");
      moved[inside ? to + path.substr(from.size()) : path] = std::move(contents);
    }
    model_ = std::move(moved);
  }
  void compare(const std::string& path) {
    const bool direct = random_.chance(0.3);
    auto file = disk_.open(path, OpenMode::existing, {direct, false});
    const auto expected = model_.find(path);
    world_.require(file.has_value() == (expected != model_.end()), "file-names", [&] { return "opening " + path; });
    if (!file) return;
    const std::string& contents = expected->second;
    world_.require(file->size() == contents.size() && disk_.clean_contents(path) == contents, "file-contents",
                   [&] { return host_.name() + " " + path + " is not what was written"; });
    auto offset = random_.below(contents.size() + 1);
    auto count = static_cast<std::size_t>(random_.below(5000));
    if (direct) {
      offset = offset / sector_bytes * sector_bytes;
      count = (count / sector_bytes + 1) * sector_bytes;
    }
    std::string bytes;
    if (read_checked(world_, host_, *file, path, offset, count, bytes, direct)) world_.count("file compared");
  }
  void compare_names() {
    std::vector<std::string> expected;
    for (const auto& [path, contents] : model_) expected.push_back(path);
    world_.require(disk_.list(label_ + "/") == expected, "file-names", [&] { return "the list of " + label_; });
    for (const std::string& path : directories_) {
      const auto listed = disk_.list_directory(path);
      world_.require(listed.has_value() == is_directory(path), "file-names", [&] { return "listing " + path; });
      if (!listed) continue;
      std::vector<std::string> children;
      const auto add = [&](const std::string& child) {
        if (child != path && parent(child) == path) children.push_back(child.substr(path.size() + 1));
      };
      for (const auto& [child, contents] : model_) add(child);
      for (const auto& [child, exists] : existing_) {
        if (exists) add(child);
      }
      std::sort(children.begin(), children.end());
      const bool same = std::equal(listed->begin(), listed->end(), children.begin(), children.end(),
                                   [](const DirectoryEntry& entry, const std::string& name) { return entry.name == name; });
      world_.require(same, "file-names", [&] { return "the entries of " + path; });
    }
  }

  World& world_;
  Host& host_;
  Disk& disk_;
  RandomStream& random_;
  std::string label_;
  std::vector<std::string> directories_;      // that may exist, parents first
  std::map<std::string, bool> existing_;      // directories
  std::map<std::string, std::string> model_;  // files
};

}  // namespace

void scribble(World& world, Host& host, const std::string& label) {
  RandomStream& pauses = host.random(label + "/pauses");
  Scribbler scribbler(world, host, label);
  scribbler.clean();
  while (!world.faults_over()) {
    host.sleep_for(pauses.between(Duration(0), 40ms));
    world.check_running(host);
    scribbler.step();
  }
}

}  // namespace polarsim::sim::exercise
