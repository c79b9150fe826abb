#include "sim/exercise/file_truth.h"

#include <algorithm>

namespace polarsim::sim::exercise {

std::string random_text(RandomStream& random, std::size_t size) {
  std::string text;
  text.reserve(size + 8);
  while (text.size() < size) append_number(text, random.next());
  text.resize(size);
  return text;
}

void append_number(std::string& text, std::uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) text += static_cast<char>(number >> shift);
}

std::uint64_t number_at(std::string_view text, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = 8; i-- > 0;) number = number << 8 | static_cast<unsigned char>(text[at + i]);
  return number;
}

bool damage_shows(Disk& disk, const std::string& path, std::uint64_t offset, std::uint64_t length, bool direct,
                  bool unreadable) {
  // A cached read needs whole pages.
  const std::uint64_t unit = direct ? sector_bytes : page_bytes;
  const std::uint64_t begin = (unreadable ? offset / unit * unit : offset) / sector_bytes;
  const std::uint64_t end_byte = unreadable ? (offset + length + unit - 1) / unit * unit : offset + length;
  const std::uint64_t end = (end_byte + sector_bytes - 1) / sector_bytes;
  const std::vector<DamagedSector> report = disk.damage_report();
  return std::any_of(report.begin(), report.end(), [&](const DamagedSector& damaged) {
    return damaged.path == path && damaged.sector >= begin && damaged.sector < end && (direct || !damaged.hidden) &&
           (!unreadable || damaged.kind == DamageKind::latent_sector_error);
  });
}

bool read_checked(World& world, Host& host, File& file, const std::string& path, std::uint64_t offset,
                  std::size_t count, std::string& out, bool direct) {
  Disk& disk = host.disk();
  const auto read = file.read(offset, count, out);
  world.check_running(host);
  if (!read) {
    world.require(read.error() == DiskError::io_error && damage_shows(disk, path, offset, count, direct, true),
                  "file-unreadable", [&] { return host.name() + " " + path + ": " + to_string(read.error()); });
    world.count("unreadable file");
    return false;
  }
  const std::string clean = disk.clean_contents(path);
  const std::string_view expected = std::string_view(clean).substr(std::min<std::size_t>(offset, clean.size()), count);
  world.require(out.size() == expected.size(), "file-size", [&] { return host.name() + " " + path; });
  for (std::size_t at = 0; at < out.size(); ++at) {
    if (out[at] == expected[at]) continue;
    world.require(damage_shows(disk, path, offset + at, 1, direct), "file-contents", [&] {
      return host.name() + " " + path + ": byte " + std::to_string(offset + at) + " is wrong, and not reported";
    });
    world.count("damage seen in a file");
    // On to the next sector.
    at = (offset + at) / sector_bytes * sector_bytes + sector_bytes - offset - 1;
  }
  return true;
}

}  // namespace polarsim::sim::exercise
