// Writes the compiled time zone files of a directory as a C++ source file: embed /usr/share/zoneinfo out.cpp
//
// Copies of one file (links of the database) are written once. A run of polarsim must not depend on what the machine
// has installed, so this happens when it is built.
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>

namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::uint32_t big_endian(const std::string& file, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(file[at + i]);
  return number;
}

// The part with 64-bit times alone: the file without the header and block of version 1 (RFC 8536, section 3.2).
std::string second_version(const std::string& file) {
  constexpr std::size_t header = 44;
  std::array<std::uint32_t, 6> counts{};  // isut, isstd, leap, transitions, types, characters
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = big_endian(file, 20 + 4 * i);
  return file.substr(header + counts[3] * 5 + counts[4] * 6 + counts[5] + counts[2] * 8 + counts[1] + counts[0]);
}

void write_bytes(std::ostream& out, const std::string& bytes) {
  std::size_t in_line = 0;
  for (const unsigned char c : bytes) {
    out << static_cast<int>(c) << ',';
    if (++in_line % 40 == 0) out << '\n';
  }
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 3) return 2;
  const std::filesystem::path root = arguments[1];
  std::map<std::string, std::pair<std::string, std::string>> zones;  // lower name -> name, file
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const std::string name = entry.path().lexically_relative(root).generic_string();
    if (!entry.is_regular_file() || name.starts_with("posix/") || name.starts_with("right/") || name == "localtime" ||
        name == "posixrules")
      continue;
    const std::string file = contents(entry.path());
    if (file.starts_with("TZif") && file[4] >= '2') zones[lower(name)] = {name, second_version(file)};
  }
  std::ofstream out(arguments[2]);
  out << "#include \"engine/types/time_zone_data/time_zone_data.h\"\n\nnamespace polarsim::engine {\nnamespace {\n\n"
      << "constexpr unsigned char bytes[] = {";
  std::map<std::string, std::size_t> positions;
  std::size_t size = 0;
  for (const auto& [key, zone] : zones) {
    if (!positions.emplace(zone.second, size).second) continue;
    write_bytes(out, zone.second);
    size += zone.second.size();
  }
  out << "0};\n\nstd::string_view file(std::size_t begin, std::size_t size) {\n"
      << "  return {reinterpret_cast<const char*>(bytes) + begin, size};\n}\n\n}  // namespace\n\n"
      << "std::span<const TimeZoneData> time_zone_data() {\n  static const TimeZoneData zones[] = {\n";
  for (const auto& [key, zone] : zones) {
    out << "      {\"" << zone.first << "\", file(" << positions.at(zone.second) << ", " << zone.second.size()
        << ")},\n";
  }
  out << "  };\n  return zones;\n}\n\n}  // namespace polarsim::engine\n";
  return out.good() && zones.size() > 300 ? 0 : 1;
}
