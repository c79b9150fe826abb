// Reads the sources and reports where they break the two rules that the whole project rests on:
//
//  1. Layering: includes only point downwards (see docs/architecture.md, "Layers").
//  2. Determinism: nothing below scenarios/cli reads a wall clock, an OS random source, an environment variable, a thread id, or
//     the address of an object for ordering; nothing there iterates a container whose order may change from run to run or
//     from one standard library to another.
//
// It is a reader of text, not a compiler: it strips comments and string literals and looks for names. A line that has a
// reason to use one carries the comment `tidy: allow <rule>: <reason>`. Tests (*_test.cpp) are held to the layering rule only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace polarsim::scenarios::tidy {

struct Violation {
  std::string file;  // relative to the project's root
  std::size_t line = 0;
  std::string rule;  // "layering", "wall-clock", "random-source", "environment", "thread", "unordered", "pointer-order", "pragma-once"
  std::string text;  // what was found and what was expected, one line

  std::string message() const { return file + ":" + std::to_string(line) + ": " + rule + ": " + text; }
};

// Checks one file's text; `path` is relative to the root and decides the layer.
std::vector<Violation> check_source(std::string_view path, std::string_view text);

// Checks every .h and .cpp file of the layers under `root`, in order of their paths; folders named "fixtures" are passed over.
// `files_read`, if given, receives how many files were looked at.
std::vector<Violation> check_tree(const std::string& root, std::size_t* files_read = nullptr);

}  // namespace polarsim::scenarios::tidy
