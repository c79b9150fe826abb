#include "engine/types/regex_program.h"

#include <utility>

namespace polarsim::engine::regex {
namespace {

constexpr std::size_t states_max = 100'000;
constexpr int parts_nesting_max = 400;

// What is known of a part: what it prefers; and why it cannot be left to one automaton. As in PostgreSQL's regguts.h.
enum Flags : unsigned {
  longer = 1,
  shorter = 2,
  mixed = 4,  // both preferences inside
  captures = 8,
  refers = 16,
};
constexpr unsigned preferences = longer | shorter;

unsigned upwards(unsigned flags) {
  return (flags & ~preferences) | ((flags & preferences) == preferences ? unsigned{mixed} : 0U);
}
unsigned combined(unsigned first, unsigned second) {
  const unsigned preferred = (first & preferences) != 0 ? first & preferences : second & preferences;
  return upwards(first | second) | preferred;
}
bool needs_dissection(unsigned flags) { return (flags & (mixed | captures | refers)) != 0; }

// Cuts the syntax tree into parts: as large pieces as possible that one automaton can answer for, and what lies
// between.
class Planner {
 public:
  std::unique_ptr<Part> alternatives(const Alternatives& all) {
    if (all.branches.size() == 1) return branch(all.branches.front(), 0);
    auto part = make(Part::Kind::alternatives, longer);
    for (const Branch& one : all.branches) {
      part->children.push_back(branch(one, 0));
      part->flags |= upwards(part->flags | part->children.back()->flags);
    }
    if (needs_dissection(part->flags)) return part;
    auto plain = make(Part::Kind::plain, part->flags);
    plain->all = &all;
    return plain;
  }

 private:
  static std::unique_ptr<Part> make(Part::Kind kind, unsigned flags) {
    auto part = std::make_unique<Part>();
    part->kind = kind;
    part->flags = flags;
    return part;
  }
  static std::unique_ptr<Part> concatenation(unsigned flags, std::unique_ptr<Part> left, std::unique_ptr<Part> right) {
    auto part = make(Part::Kind::concatenation, flags);
    part->children.push_back(std::move(left));
    part->children.push_back(std::move(right));
    return part;
  }
  static unsigned preference_of(const Item& item) { return static_cast<unsigned>(item.preference); }

  std::unique_ptr<Part> branch(const Branch& branch, std::size_t from) {
    if (++nesting_ > parts_nesting_max) throw_too_complex();
    auto prefix = make(Part::Kind::plain, 0);
    std::unique_ptr<Part> result;
    std::size_t i = from;
    for (; i < branch.items.size() && !result; ++i) {
      const Item& item = branch.items[i];
      if (item.max == 0) continue;
      if (item.kind == Item::Kind::assertion) {
        prefix->pieces.push_back({&item, 1, 1});
        continue;
      }
      std::unique_ptr<Part> whole = atom(item);
      const unsigned flags = prefix->flags | preference_of(item) | whole->flags;
      if (!needs_dissection(upwards(flags))) {
        prefix->flags = flags;
        prefix->pieces.push_back({&item, item.min, item.max});
        continue;
      }
      const unsigned own_flags = combined(preference_of(item), whole->flags);
      result = repeated(std::move(whole), item);
      if (i + 1 < branch.items.size()) {
        std::unique_ptr<Part> rest = this->branch(branch, i + 1);
        const unsigned together = own_flags | combined(own_flags, rest->flags);
        result = concatenation(together, std::move(result), std::move(rest));
      }
      break;
    }
    --nesting_;
    if (!result) return prefix;
    if (prefix->pieces.empty()) return result;
    const unsigned together = prefix->flags | combined(prefix->flags, result->flags);
    return concatenation(together, std::move(prefix), std::move(result));
  }

  // The item without its quantifier.
  std::unique_ptr<Part> atom(const Item& item) {
    if (item.kind == Item::Kind::back_reference) {
      auto part = make(Part::Kind::back_reference, refers);
      part->referred = item.number;
      part->item = &item;
      return part;
    }
    if (item.kind != Item::Kind::group) {
      auto part = make(Part::Kind::plain, 0);
      part->pieces.push_back({&item, 1, 1});
      return part;
    }
    std::unique_ptr<Part> part = alternatives(*item.inner);
    if (item.number == 0) return part;
    if (part->group != 0) {
      auto wrapper = make(Part::Kind::wrapper, part->flags);
      wrapper->children.push_back(std::move(part));
      part = std::move(wrapper);
    }
    part->group = item.number;
    part->flags |= captures;
    return part;
  }

  // The item with its quantifier.
  static std::unique_ptr<Part> repeated(std::unique_ptr<Part> atom, const Item& item) {
    const unsigned preferred = preference_of(item);
    const unsigned flags = combined(preferred, atom->flags);
    if (item.kind == Item::Kind::back_reference) {
      atom->min = item.min;
      atom->max = item.max;
      atom->flags |= flags;
      return atom;
    }
    const unsigned inner = atom->flags & (longer | shorter | mixed);
    if (item.min == 1 && item.max == 1 && (preferred == 0 || inner == 0 || preferred == inner)) return atom;
    if ((atom->flags & (captures | refers)) == 0) {
      auto plain = make(Part::Kind::plain, flags);
      plain->pieces.push_back({&item, item.min, item.max});
      return plain;
    }
    if (item.min > 0 && (atom->flags & refers) == 0) {
      // Only the last repetition is asked for: what comes before is one piece.
      auto before = make(Part::Kind::plain, flags & preferences);
      before->pieces.push_back({&item, item.min - 1, item.max == unlimited ? unlimited : item.max - 1});
      return concatenation(flags, std::move(before), std::move(atom));
    }
    auto iteration = make(Part::Kind::iteration, flags);
    iteration->min = item.min;
    iteration->max = item.max;
    iteration->item = &item;
    iteration->children.push_back(std::move(atom));
    return iteration;
  }

  int nesting_ = 0;
};

class Builder {
 public:
  explicit Builder(RegexProgram& program)
      : program_(program),
        groups_(static_cast<std::size_t>(program.syntax.groups) + 1),
        numbers_(static_cast<std::size_t>(program.syntax.items), none) {
    find_groups(program.syntax.root);
  }

  Fragment part(Part& part) {
    part.prefers_shorter = (part.flags & shorter) != 0;
    part.fragment = fragment_of(part);
    return part.fragment;
  }

 private:
  void find_groups(const Alternatives& all) {
    for (const Branch& branch : all.branches) {
      for (const Item& item : branch.items) {
        if (item.kind != Item::Kind::group) continue;
        groups_[static_cast<std::size_t>(item.number)] = &item;
        find_groups(*item.inner);
      }
    }
  }

  State& state(int i) { return program_.states[static_cast<std::size_t>(i)]; }
  int add(State::Kind kind) {
    if (program_.states.size() >= states_max) throw_too_complex();
    program_.states.emplace_back().kind = kind;
    return static_cast<int>(program_.states.size()) - 1;
  }
  void connect(int from, int to) {
    State& source = state(from);
    (source.next == no_state ? source.next : source.other) = to;
  }
  Fragment nothing() {
    const int only = add(State::Kind::jump);
    return {only, only};
  }
  Fragment sequence(Fragment first, Fragment second) {
    connect(first.exit, second.entry);
    return {first.entry, second.exit};
  }

  Fragment fragment_of(Part& part) {
    switch (part.kind) {
      case Part::Kind::plain:
        return plain(part);
      case Part::Kind::concatenation: {
        const Fragment left = this->part(*part.children[0]);
        return sequence(left, this->part(*part.children[1]));
      }
      case Part::Kind::alternatives: {
        std::vector<Fragment> all;
        for (const auto& child : part.children) all.push_back(this->part(*child));
        return any_of(all);
      }
      case Part::Kind::iteration: {
        bool is_first = true;
        return repeated(part.min, part.max, [&] {
          if (!std::exchange(is_first, false)) return atom(*part.item);
          return this->part(*part.children[0]);
        });
      }
      case Part::Kind::back_reference:
        return repeated(part.min, part.max, [&] { return atom(*part.item); });
      case Part::Kind::wrapper:
        return this->part(*part.children[0]);
    }
    return nothing();
  }
  Fragment plain(const Part& part) {
    if (part.all) return alternatives(*part.all);
    Fragment result = nothing();
    for (const Part::Piece& piece : part.pieces) {
      result = sequence(result, repeated(piece.min, piece.max, [&] { return atom(*piece.item); }));
    }
    return result;
  }

  Fragment any_of(const std::vector<Fragment>& all) {
    const int entry = add(State::Kind::jump);
    const int exit = add(State::Kind::jump);
    int fork = entry;
    for (std::size_t i = 0; i < all.size(); ++i) {
      connect(fork, all[i].entry);
      connect(all[i].exit, exit);
      if (i + 1 < all.size()) {
        const int next = add(State::Kind::jump);
        connect(fork, next);
        fork = next;
      }
    }
    return {entry, exit};
  }

  // `body` makes one more copy with each call.
  template <typename Body>
  Fragment repeated(int min, int max, Body body) {
    if (min == 1 && max == 1) return body();
    Fragment result = nothing();
    for (int i = 0; i < min; ++i) result = sequence(result, body());
    if (max == min) return result;
    const int exit = add(State::Kind::jump);
    if (max == unlimited) {
      const int loop = add(State::Kind::jump);
      const Fragment copy = body();
      connect(result.exit, loop);
      connect(loop, copy.entry);
      connect(loop, exit);
      connect(copy.exit, loop);
      return {result.entry, exit};
    }
    for (int i = min; i < max; ++i) {
      const int fork = add(State::Kind::jump);
      connect(result.exit, fork);
      const Fragment copy = body();
      connect(fork, copy.entry);
      connect(fork, exit);
      result.exit = copy.exit;
    }
    connect(result.exit, exit);
    return {result.entry, exit};
  }

  Fragment alternatives(const Alternatives& all) {
    std::vector<Fragment> branches;
    for (const Branch& branch : all.branches) {
      Fragment result = nothing();
      for (const Item& item : branch.items) {
        if (item.max == 0) continue;
        result = sequence(result, repeated(item.min, item.max, [&] { return atom(item); }));
      }
      branches.push_back(result);
    }
    return branches.size() == 1 ? branches.front() : any_of(branches);
  }

  Fragment atom(const Item& item) {
    switch (item.kind) {
      case Item::Kind::set: {
        const int consume = add(State::Kind::consume);
        state(consume).argument = set_number(item);
        const int exit = add(State::Kind::jump);
        connect(consume, exit);
        return {consume, exit};
      }
      case Item::Kind::group:
        return alternatives(*item.inner);
      case Item::Kind::back_reference: {
        // What the group can match, wherever: whether it is the same is found when a match is dissected.
        const bool outer = std::exchange(ignores_assertions_, true);
        const Fragment copy = atom(*groups_[static_cast<std::size_t>(item.number)]);
        ignores_assertions_ = outer;
        return copy;
      }
      case Item::Kind::assertion:
        break;
    }
    if (ignores_assertions_) return nothing();
    const int lookaround = item.inner ? lookaround_number(item) : 0;
    const int only = add(State::Kind::assert_);
    state(only).assertion = item.assertion;
    state(only).argument = lookaround;
    const int exit = add(State::Kind::jump);
    connect(only, exit);
    return {only, exit};
  }

  int set_number(const Item& item) {
    int& number = numbers_[static_cast<std::size_t>(item.id)];
    if (number == none) {
      program_.sets.push_back(&item.set);
      number = static_cast<int>(program_.sets.size()) - 1;
    }
    return number;
  }
  int lookaround_number(const Item& item) {
    int& number = numbers_[static_cast<std::size_t>(item.id)];
    if (number == none) {
      const Fragment inner = alternatives(*item.inner);
      program_.lookarounds.push_back(inner);
      number = static_cast<int>(program_.lookarounds.size()) - 1;
    }
    return number;
  }

  RegexProgram& program_;
  static constexpr int none = -1;
  std::vector<const Item*> groups_;  // by number
  std::vector<int> numbers_;         // by item: of its set or lookaround
  bool ignores_assertions_ = false;
};

}  // namespace

std::shared_ptr<const RegexProgram> compile(std::u32string_view pattern, RegexOptions options) {
  auto program = std::make_shared<RegexProgram>();
  program->syntax = parse(pattern, options);
  program->root = Planner().alternatives(program->syntax.root);
  program->has_back_references = (program->root->flags & refers) != 0;
  Builder(*program).part(*program->root);
  return program;
}

}  // namespace polarsim::engine::regex
