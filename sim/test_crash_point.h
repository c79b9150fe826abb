// For tests: a crash before the n-th operation that changes a host's disk.
#pragma once

#include <cstdint>
#include <string>

#include "sim/host.h"

namespace polarsim::sim {

// Takes the disk's observer as long as it lives.
class CrashPoint {
 public:
  explicit CrashPoint(Host& host) : host_(host) {
    host_.disk().set_observer([this](DiskOperation operation, const std::string& path) { observe(operation, path); });
  }
  ~CrashPoint() { host_.disk().set_observer({}); }
  CrashPoint(const CrashPoint&) = delete;
  CrashPoint& operator=(const CrashPoint&) = delete;

  // The host loses its power before the n-th operation from now (1 is the next); never at 0. Counting begins anew.
  void arm(std::uint64_t n) {
    remaining_ = n;
    operations_ = 0;
    struck_.clear();
  }
  // Operations since arm(), without the one that was prevented. Reads change nothing and do not count.
  std::uint64_t operations() const { return operations_; }
  // "before operation 12 (sync wal/00000001)"; empty if the crash has not come.
  const std::string& struck() const { return struck_; }

 private:
  void observe(DiskOperation operation, const std::string& path) {
    if (operation == DiskOperation::read) return;
    if (remaining_ != 0 && --remaining_ == 0) {
      struck_ = "before operation " + std::to_string(operations_ + 1) + " (" + to_string(operation) + " " + path + ")";
      host_.crash();
      return;
    }
    ++operations_;
  }
  Host& host_;
  std::uint64_t remaining_ = 0;
  std::uint64_t operations_ = 0;
  std::string struck_;
};

}  // namespace polarsim::sim
