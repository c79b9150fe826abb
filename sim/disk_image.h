// The contents of a whole disk as plain data.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace polarsim::sim {

struct DiskImage {
  struct Entry {
    bool is_directory = false;
    std::string contents;                     // what the medium holds; of unreadable sectors, what it should hold
    std::vector<std::uint64_t> unreadable{};  // sectors, ascending
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  // By path without a leading slash; a directory comes before what lies in it.
  std::map<std::string, Entry> entries;
  friend bool operator==(const DiskImage&, const DiskImage&) = default;
};

}  // namespace polarsim::sim
