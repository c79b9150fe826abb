// What a read may return on a disk that does damage, and numbers in bytes.
#pragma once

#include <string>
#include <string_view>

#include "sim/exercise/world.h"

namespace polarsim::sim::exercise {

std::string random_text(RandomStream& random, std::size_t size);
void append_number(std::string& text, std::uint64_t number);
std::uint64_t number_at(std::string_view text, std::size_t at);

// Whether the damage report names a sector of these bytes of the file that shows; `direct` as in OpenFlags. With
// `unreadable`, only sectors that cannot be read count.
bool damage_shows(Disk& disk, const std::string& path, std::uint64_t offset, std::uint64_t length, bool direct,
                  bool unreadable = false);

// Reads into `out` as File::read() does. What comes must be the clean contents, but for the sectors that are damaged,
// and an error needs a sector that cannot be read. False if it could not be read.
bool read_checked(World& world, Host& host, File& file, const std::string& path, std::uint64_t offset,
                  std::size_t count, std::string& out, bool direct = false);

}  // namespace polarsim::sim::exercise
