// Pages as text, for people: `polarsim inspect`, messages of tests, debuggers.
//
// Nothing here trusts the bytes: a page that is damaged is described as far as it makes sense, and says where it does
// not. The formats of all kinds are known here, those of txn/ and catalog/ included.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/storage/page.h"
#include "engine/storage/tuple.h"

namespace polarsim::engine::storage {

// Several lines, each ended by a line break:
//
//   relation 16384, block 3: heap
//     LSN 2312, flags 0x0001, version 1, lower 40, upper 8096, special 8192, 8052 bytes free
//     checksum 3f8a21c0
//     item 1 at 8144, 48 bytes: xmin 740 xmax 0 cmin 0 cmax 0 ctid (3,1) infomask 0x0401 (xmin_frozen, updated)
//         values (1, 'abc', NULL)
//     item 2 unused
//
// A checksum that is not that of the bytes says so: "checksum 3f8a21c0 is wrong: computed 11223344"; pages in memory
// have none. B-trees show links, levels, high key and decoded keys; maps of free space the ranges of blocks with the
// room they promise; commit logs the ranges of transactions with a known outcome; sequences their state.
std::string describe_page(Page page);

// "xmin 740 xmax 0 ...", as above, without the values.
std::string describe_header(const TupleHeader& header);
// "(1, 'abc', <1000 bytes at (7,2)>)"; what is wrong with it if it is no tuple.
std::string describe_values(std::span<const char> tuple);
// "0361ff"
std::string hexadecimal(std::string_view bytes);

}  // namespace polarsim::engine::storage
