// Values whose constructors, assignments and destructor are compiled once.
//
// The trees of the parser, the analyser and the planner are plain structs that hold variants and vectors of each other.
// What the language writes by itself for them is inline: every file that copies or ends one compiled the copies of all
// that can be in it, which was up to half of its time. The struct declares its members by the first macro, and one .cpp
// file defines them, as the language would have, by the second. Such a struct is no aggregate any more: it is made
// empty and filled.
#pragma once

#define POLARSIM_DECLARE_VALUE_TYPE(Type) \
  Type();                                 \
  Type(const Type& other);                \
  Type(Type&& other) noexcept;            \
  Type& operator=(const Type& other);     \
  Type& operator=(Type&& other) noexcept; \
  ~Type()

#define POLARSIM_DEFINE_VALUE_TYPE(Type)                  \
  Type::Type() = default;                                 \
  Type::Type(const Type& other) = default;                \
  Type::Type(Type&& other) noexcept = default;            \
  Type& Type::operator=(const Type& other) = default;     \
  Type& Type::operator=(Type&& other) noexcept = default; \
  Type::~Type() = default
