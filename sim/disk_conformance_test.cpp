// The disk without faults against the file system of the machine the test runs on: the same random operations, with
// the same results and errors, operation by operation, and the same tree and bytes in the end.
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/test_world.h"

namespace polarsim::sim {
namespace {

int errno_of(DiskError error) {
  switch (error) {
    case DiskError::not_found:
      return ENOENT;
    case DiskError::exists:
      return EEXIST;
    case DiskError::no_space:
      return ENOSPC;
    case DiskError::io_error:
      return EIO;
    case DiskError::offline:
      return ENODEV;
    case DiskError::not_a_directory:
      return ENOTDIR;
    case DiskError::is_a_directory:
      return EISDIR;
    case DiskError::not_empty:
      return ENOTEMPTY;
    case DiskError::invalid:
      return EINVAL;
    case DiskError::busy:
      return EBUSY;
    case DiskError::name_too_long:
      return ENAMETOOLONG;
  }
  return -1;
}

// What an operation gave: a number or an errno, and bytes or names.
struct Result {
  int error = 0;
  std::uint64_t value = 0;
  std::string bytes;
  friend bool operator==(const Result&, const Result&) = default;
};
std::ostream& operator<<(std::ostream& out, const Result& result) {
  return out << "error " << result.error << " value " << result.value << " bytes " << result.bytes.size() << " B "
             << result.bytes.substr(0, 60);
}
Result failed(int error) { return {error, 0, {}}; }

// A buffer that suits O_DIRECT.
class AlignedBuffer {
 public:
  explicit AlignedBuffer(std::size_t size)
      : size_(size), data_(static_cast<char*>(std::aligned_alloc(page_bytes, (size / page_bytes + 1) * page_bytes))) {}
  ~AlignedBuffer() { std::free(data_); }
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  char* data() { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_;
  char* data_;
};

class RealDisk {
 public:
  RealDisk() {
    std::string name = "/tmp/polarsim-disk-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    root_ = name;
  }
  ~RealDisk() {
    for (const int descriptor : files_) close(descriptor);
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  RealDisk(const RealDisk&) = delete;
  RealDisk& operator=(const RealDisk&) = delete;

  // Whether this file system asks of direct I/O what the simulated one does: sectors, nothing less, nothing more.
  bool has_sector_direct_io() const {
    const std::string path = root_ + "/probe";
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_DIRECT, 0600);
    if (file < 0) return false;
    AlignedBuffer buffer(page_bytes);
    std::fill(buffer.data(), buffer.data() + page_bytes, 'x');
    const bool sectors = ::pwrite(file, buffer.data(), 512, 512) == 512 && ::pread(file, buffer.data(), 512, 0) == 512;
    const bool strict = ::pwrite(file, buffer.data(), 100, 0) < 0 && ::pread(file, buffer.data(), 512, 100) < 0;
    close(file);
    unlink(path.c_str());
    return sectors && strict;
  }

  Result open(std::size_t slot, const std::string& path, OpenMode mode, OpenFlags flags) {
    int bits = O_RDWR | O_CLOEXEC;
    if (mode != OpenMode::existing) bits |= O_CREAT;
    if (mode == OpenMode::create_new) bits |= O_EXCL;
    if (flags.truncate) bits |= O_TRUNC;
    if (flags.direct) bits |= O_DIRECT;
    const int file = ::open(full(path).c_str(), bits, 0600);
    if (file < 0) return failed(errno);
    close(files_[slot]);
    files_[slot] = file;
    return {};
  }
  Result make_directory(const std::string& path) { return code(::mkdir(full(path).c_str(), 0700)); }
  Result remove_directory(const std::string& path) { return code(::rmdir(full(path).c_str())); }
  Result remove(const std::string& path) { return code(::unlink(full(path).c_str())); }
  Result rename(const std::string& from, const std::string& to) {
    return code(std::rename(full(from).c_str(), full(to).c_str()));
  }
  Result status(const std::string& path) {
    struct stat found {};
    if (::stat(full(path).c_str(), &found) != 0) return failed(errno);
    return S_ISDIR(found.st_mode) ? Result{0, 0, "directory"}
                                  : Result{0, static_cast<std::uint64_t>(found.st_size), "file"};
  }
  Result list(const std::string& path) {
    DIR* directory = ::opendir(full(path).c_str());
    if (directory == nullptr) return failed(errno);
    std::set<std::string> names;
    while (const dirent* entry = ::readdir(directory)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.insert(name);
    }
    ::closedir(directory);
    Result result;
    for (const std::string& name : names) result.bytes += name + "/";
    return result;
  }
  Result write(std::size_t slot, std::uint64_t offset, const std::string& bytes) {
    AlignedBuffer buffer(bytes.size());
    std::copy(bytes.begin(), bytes.end(), buffer.data());
    return count(::pwrite(files_[slot], buffer.data(), bytes.size(), static_cast<off_t>(offset)));
  }
  Result read(std::size_t slot, std::uint64_t offset, std::uint64_t length) {
    AlignedBuffer buffer(length);
    Result result = count(::pread(files_[slot], buffer.data(), length, static_cast<off_t>(offset)));
    if (result.error == 0) result.bytes.assign(buffer.data(), result.value);
    return result;
  }
  Result truncate(std::size_t slot, std::uint64_t size) {
    return code(::ftruncate(files_[slot], static_cast<off_t>(size)));
  }
  bool opened(std::size_t slot) const { return files_[slot] >= 0; }

 private:
  static void close(int descriptor) {
    if (descriptor >= 0) ::close(descriptor);
  }
  static Result code(int returned) { return returned == 0 ? Result{} : failed(errno); }
  static Result count(ssize_t returned) {
    return returned < 0 ? failed(errno) : Result{0, static_cast<std::uint64_t>(returned), {}};
  }
  std::string full(const std::string& path) const { return root_ + "/" + path; }

  std::string root_;
  std::array<int, 4> files_{-1, -1, -1, -1};
};

// The simulated disk behind the same functions.
class SimulatedDisk {
 public:
  explicit SimulatedDisk(std::uint64_t seed) : world_({"h"}, seed) {
    DiskParameters parameters;
    parameters.read_latency = parameters.write_latency = parameters.sync_latency =
        DurationDistribution::constant(Duration(0));
    parameters.bandwidth_bytes_per_s = 0;
    disk().set_parameters(parameters);
  }
  Result open(std::size_t slot, const std::string& path, OpenMode mode, OpenFlags flags) {
    const auto file = disk().open(path, mode, flags);
    if (!file) return failed(errno_of(file.error()));
    files_[slot] = *file;
    return {};
  }
  Result make_directory(const std::string& path) { return code(disk().make_directory(path)); }
  Result remove_directory(const std::string& path) { return code(disk().remove_directory(path)); }
  Result remove(const std::string& path) { return code(disk().remove(path)); }
  Result rename(const std::string& from, const std::string& to) { return code(disk().rename(from, to)); }
  Result status(const std::string& path) {
    const auto status = disk().status(path);
    if (!status) return failed(errno_of(status.error()));
    return {0, status->size, status->is_directory ? "directory" : "file"};
  }
  Result list(const std::string& path) {
    const auto entries = disk().list_directory(path);
    if (!entries) return failed(errno_of(entries.error()));
    Result result;
    for (const DirectoryEntry& entry : *entries) result.bytes += entry.name + "/";
    return result;
  }
  Result write(std::size_t slot, std::uint64_t offset, const std::string& bytes) {
    const auto written = files_[slot].write(offset, bytes);
    return written ? Result{0, *written, {}} : failed(errno_of(written.error()));
  }
  Result read(std::size_t slot, std::uint64_t offset, std::uint64_t length) {
    Result result;
    const auto found = files_[slot].read(offset, length, result.bytes);
    if (!found) return failed(errno_of(found.error()));
    result.value = *found;
    return result;
  }
  Result truncate(std::size_t slot, std::uint64_t size) { return code(files_[slot].truncate(size)); }

 private:
  Disk& disk() { return world_.host("h").disk(); }
  static Result code(const tl::expected<void, DiskError>& returned) {
    return returned ? Result{} : failed(errno_of(returned.error()));
  }
  TestWorld world_;
  std::array<File, 4> files_;
};

// Draws operations, does each on both, and compares.
class Comparison {
 public:
  explicit Comparison(std::uint64_t seed)
      : random_("conformance", seed, nullptr), simulated_(seed), direct_io_(real_.has_sector_direct_io()) {}

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      if (random_.chance(0.5)) {
        step_of_names();
      } else {
        step_of_a_file();
      }
    }
    if (!::testing::Test::HasFailure()) compare_trees("");
  }
  const std::map<int, int>& errors() const { return errors_; }
  bool direct_io() const { return direct_io_; }

 private:
  // Never leads above the root: there, the two differ.
  std::string path() {
    std::string path;
    int depth = 0;
    const std::uint64_t parts = 1 + random_.below(3);
    for (std::uint64_t i = 0; i < parts; ++i) {
      if (i > 0) path += random_.chance(0.05) ? "//" : "/";
      const std::uint64_t kind = random_.below(40);
      if (kind == 0) {
        path += ".";
      } else if (kind == 1 && depth > 0) {
        path += "..";
        --depth;
      } else if (kind == 2) {
        path += std::string(random_.chance(0.5) ? 255 : 256, 'n');
        ++depth;
      } else {
        path += std::string(1, static_cast<char>('a' + random_.below(3)));
        ++depth;
      }
    }
    if (random_.chance(0.06)) path += "/";
    return path;
  }

  void check(const std::string& what, const Result& expected, const Result& found) {
    ++errors_[expected.error];
    EXPECT_EQ(expected, found) << what;
  }

  void step_of_names() {
    const std::uint64_t kind = random_.below(12);
    const std::string first = path();
    if (kind < 3) {
      check("mkdir " + first, real_.make_directory(first), simulated_.make_directory(first));
    } else if (kind < 4) {
      check("rmdir " + first, real_.remove_directory(first), simulated_.remove_directory(first));
    } else if (kind < 5) {
      check("unlink " + first, real_.remove(first), simulated_.remove(first));
    } else if (kind < 9) {
      const std::string second = path();
      check("rename " + first + " " + second, real_.rename(first, second), simulated_.rename(first, second));
    } else if (kind < 10) {
      check("stat " + first, real_.status(first), simulated_.status(first));
    } else {
      check("list " + first, real_.list(first), simulated_.list(first));
    }
  }

  void step_of_a_file() {
    const std::size_t slot = random_.below(4);
    const std::uint64_t kind = random_.below(10);
    if (kind < 3 || !real_.opened(slot)) return open(slot);
    // Linux checks the alignment of direct I/O only where it has a device block to access: holes and what lies past
    // the end get through. The simulated disk is strict, so only what both must accept is compared.
    const bool half = random_.chance(0.5);
    const bool aligned = half || direct_[slot];
    std::uint64_t offset = random_.below(12'000);
    std::uint64_t length = 1 + random_.below(6'000);
    if (aligned) {
      offset -= offset % sector_bytes;
      length += sector_bytes - length % sector_bytes;
    }
    const std::string where = std::to_string(slot) + " " + std::to_string(offset) + "+" + std::to_string(length);
    if (kind < 6) {
      const std::string bytes(length, static_cast<char>('A' + random_.below(26)));
      check("write " + where, real_.write(slot, offset, bytes), simulated_.write(slot, offset, bytes));
    } else if (kind < 7) {
      check("truncate " + where, real_.truncate(slot, offset), simulated_.truncate(slot, offset));
    } else {
      check("read " + where, real_.read(slot, offset, length), simulated_.read(slot, offset, length));
    }
  }

  void open(std::size_t slot) {
    const auto mode = static_cast<OpenMode>(random_.below(3));
    OpenFlags flags;
    flags.truncate = random_.chance(0.15);
    flags.direct = direct_io_ && random_.chance(0.3);
    const std::string name = path();
    const Result expected = real_.open(slot, name, mode, flags);
    check("open " + name + " mode " + std::to_string(static_cast<int>(mode)), expected,
          simulated_.open(slot, name, mode, flags));
    if (expected.error == 0) direct_[slot] = flags.direct;
  }

  void compare_trees(const std::string& directory) {
    const Result expected = real_.list(directory);
    check("final list " + directory, expected, simulated_.list(directory.empty() ? "/" : directory));
    std::string names = expected.bytes;
    for (std::size_t end = names.find('/'); end != std::string::npos; end = names.find('/')) {
      const std::string below = directory + names.substr(0, end);
      names.erase(0, end + 1);
      const Result status = real_.status(below);
      check("final stat " + below, status, simulated_.status(below));
      if (status.bytes == "directory") {
        compare_trees(below + "/");
        continue;
      }
      ASSERT_EQ(real_.open(0, below, OpenMode::existing, {}).error, 0);
      ASSERT_EQ(simulated_.open(0, below, OpenMode::existing, {}).error, 0);
      check("final contents " + below, real_.read(0, 0, status.value + 1), simulated_.read(0, 0, status.value + 1));
    }
  }

  RandomStream random_;
  RealDisk real_;
  SimulatedDisk simulated_;
  bool direct_io_;
  std::array<bool, 4> direct_{};
  std::map<int, int> errors_;
};

TEST(DiskConformance, BehavesAsTheFileSystemOfThisMachine) {
  std::map<int, int> errors;
  bool direct_io = false;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Comparison comparison(seed);
    comparison.run(500);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    for (const auto& [error, count] : comparison.errors()) errors[error] += count;
    direct_io = direct_io || comparison.direct_io();
  }
  RecordProperty("direct_io_compared", direct_io ? "yes" : "no");
  for (const int error : {0, ENOENT, EEXIST, ENOTDIR, EISDIR, ENOTEMPTY, EINVAL, EBUSY, ENAMETOOLONG}) {
    EXPECT_GT(errors[error], 20) << "the operations do not reach errno " << error;
  }
}

}  // namespace
}  // namespace polarsim::sim
