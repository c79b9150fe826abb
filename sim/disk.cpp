#include "sim/disk.h"

#include "sim/host.h"
#include "sim/simulation.h"

namespace polarsim::sim {

namespace detail {
struct Inode {
  std::string path;
};
}  // namespace detail

struct Disk::Implementation {
  DiskParameters parameters;
  DiskStatistics statistics;
};

const char* to_string(DiskError error) {
  switch (error) {
    case DiskError::not_found: return "no such file";
    case DiskError::exists: return "file exists";
    case DiskError::no_space: return "no space left on device";
    case DiskError::io_error: return "input/output error";
    case DiskError::offline: return "host is down";
  }
  return "unknown";
}

const std::string& File::path() const { return inode_->path; }
std::uint64_t File::size() const { return 0; }
tl::expected<std::size_t, DiskError> File::read(std::uint64_t, std::size_t, std::string&) const {
  return tl::unexpected(DiskError::offline);
}
tl::expected<void, DiskError> File::write(std::uint64_t, std::string_view) { return tl::unexpected(DiskError::offline); }
tl::expected<void, DiskError> File::truncate(std::uint64_t) { return tl::unexpected(DiskError::offline); }
tl::expected<void, DiskError> File::sync() { return tl::unexpected(DiskError::offline); }

Disk::Disk(Host&) : impl_(std::make_unique<Implementation>()) {}
Disk::~Disk() = default;
tl::expected<File, DiskError> Disk::open(const std::string&, OpenMode) { return tl::unexpected(DiskError::offline); }
tl::expected<void, DiskError> Disk::remove(const std::string&) { return tl::unexpected(DiskError::offline); }
tl::expected<void, DiskError> Disk::rename(const std::string&, const std::string&) {
  return tl::unexpected(DiskError::offline);
}
bool Disk::exists(const std::string&) const { return false; }
std::vector<std::string> Disk::list(std::string_view) const { return {}; }
tl::expected<void, DiskError> Disk::sync_directory() { return tl::unexpected(DiskError::offline); }
const DiskParameters& Disk::parameters() const { return impl_->parameters; }
void Disk::set_parameters(const DiskParameters& parameters) { impl_->parameters = parameters; }
const DiskStatistics& Disk::statistics() const { return impl_->statistics; }
void Disk::crash() {}
void Disk::boot() {}
std::string Disk::durable_contents(const std::string&) const { return {}; }
void Disk::damage(const std::string&, std::uint64_t, std::uint8_t) {}

}  // namespace polarsim::sim
