#include <gtest/gtest.h>

#include "engine/types/call_test_support.h"

// What is expected was taken from a real PostgreSQL 15.
namespace polarsim::engine::test {
namespace {

TEST(BinaryFunctions, TextForms) {
  expect_calls({
      {"length", {"bytea=\\x 41 ff"}, "2"},
      {"length", {"bytea=a\\\\b\\000"}, "4"},
      {"length", {"bytea=\\xzz"}, "ERROR 22023: invalid hexadecimal digit: \"z\""},
      {"length", {"bytea=\\xabc"}, "ERROR 22023: invalid hexadecimal data: odd number of digits"},
      {"length", {"bytea=a\\b"}, "ERROR 22P02: invalid input syntax for type bytea"},
      {"||", {"bytea=a\\377", "bytea=\\x00"}, "\\x61ff00"},
  });
}

TEST(BinaryFunctions, Bytes) {
  expect_calls({
      {"get_byte", {"bytea=\\x01", "int4=0"}, "1"},
      {"get_byte", {"bytea=\\x01", "int4=1"}, "ERROR 2202E: index 1 out of valid range, 0..0"},
      {"get_byte", {"bytea=\\x", "int4=0"}, "ERROR 2202E: index 0 out of valid range, 0..-1"},
      {"set_byte", {"bytea=\\x0102", "int4=1", "int4=300"}, "\\x012c"},
      {"set_byte", {"bytea=\\x01", "int4=-1", "int4=1"}, "ERROR 2202E: index -1 out of valid range, 0..0"},
      {"get_bit", {"bytea=\\x02", "int8=1"}, "1"},
      {"get_bit", {"bytea=\\x01", "int8=8"}, "ERROR 2202E: index 8 out of valid range, 0..7"},
      {"set_bit", {"bytea=\\x01", "int8=0", "int4=0"}, "\\x00"},
      {"set_bit", {"bytea=\\x01", "int8=0", "int4=2"}, "ERROR 22023: new bit must be 0 or 1"},
      {"bit_count", {"bytea=\\xff01"}, "9"},
      {"substring", {"bytea=\\x010203", "int4=2", "int4=5"}, "\\x0203"},
      {"substring", {"bytea=\\x01", "int4=1", "int4=-1"}, "ERROR 22011: negative substring length not allowed"},
      {"substring", {"bytea=\\x010203", "int4=-1"}, "\\x010203"},
      {"overlay", {"bytea=\\x010203", "bytea=\\xff", "int4=2"}, "\\x01ff03"},
      {"overlay", {"bytea=\\x01", "bytea=\\x", "int4=0"}, "ERROR 22011: negative substring length not allowed"},
      {"position", {"bytea=\\x0102", "bytea=\\x02"}, "2"},
      {"position", {"bytea=\\x0102", "bytea=\\x"}, "1"},
      {"btrim", {"bytea=\\x000100", "bytea=\\x00"}, "\\x01"},
      {"ltrim", {"bytea=\\x000100", "bytea=\\x00"}, "\\x0100"},
      {"rtrim", {"bytea=\\x000100", "bytea=\\x0001"}, "\\x"},
  });
}

TEST(BinaryFunctions, Encodings) {
  expect_calls({
      {"encode", {"bytea=\\x00ff5c41", "text=escape"}, "\\000\\377\\\\A"},
      {"encode", {"bytea=\\x00ff", "text=hex"}, "00ff"},
      {"encode",
       {"bytea="
        "\\xabababababababababababababababababababababababababababababababababababababababababababababababababababababa"
        "bababab",
        "text=base64"},
       "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6ur\n"},
      {"encode",
       {"bytea="
        "\\xabababababababababababababababababababababababababababababababababababababababababababababababababababababa"
        "bababababab",
        "text=BASE64"},
       "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6ur\nq6s="},
      {"encode", {"bytea=\\x", "text=base64"}, ""},
      {"encode", {"bytea=\\x00", "text=foo"}, "ERROR 22023: unrecognized encoding: \"foo\""},
      {"decode", {"text=zz", "text=hex"}, "ERROR 22023: invalid hexadecimal digit: \"z\""},
      {"decode", {"text=abc", "text=hex"}, "ERROR 22023: invalid hexadecimal data: odd number of digits"},
      {"decode", {"text=A b", "text=hex"}, "ERROR 22023: invalid hexadecimal digit: \" \""},
      {"decode", {"text=YWI=\n", "text=base64"}, "\\x6162"},
      {"decode", {"text=abc", "text=base64"}, "ERROR 22023: invalid base64 end sequence"},
      {"decode",
       {"text=a*c=", "text=base64"},
       "ERROR 22023: invalid symbol \"*\" found while decoding base64 sequence"},
      {"decode", {"text==abc", "text=base64"}, "ERROR 22023: unexpected \"=\" while decoding base64 sequence"},
      {"decode", {"text=\\x", "text=escape"}, "ERROR 22P02: invalid input syntax for type bytea"},
      {"decode", {"text=\\101\\\\", "text=escape"}, "\\x415c"},
      {"convert_from", {"bytea=\\xc3a9", "name=UTF8"}, "é"},
      {"convert_from", {"bytea=\\xff", "name=utf-8"}, "ERROR 22021: invalid byte sequence for encoding \"UTF8\": 0xff"},
      {"convert_from", {"bytea=\\xc3", "name=UTF8"}, "ERROR 22021: invalid byte sequence for encoding \"UTF8\": 0xc3"},
      {"convert_from", {"bytea=\\x00", "name=UTF8"}, "ERROR 22021: invalid byte sequence for encoding \"UTF8\": 0x00"},
      {"convert_from",
       {"bytea=\\xeda080", "name=UTF8"},
       "ERROR 22021: invalid byte sequence for encoding \"UTF8\": 0xed 0xa0 0x80"},
      {"convert_from", {"bytea=\\xe9", "name=latin1"}, "é"},
      {"convert_from", {"bytea=\\x41", "name=foo"}, "ERROR 22023: invalid source encoding name \"foo\""},
      {"convert_to", {"text=é", "name=LATIN1"}, "\\xe9"},
      {"convert_to",
       {"text=€", "name=LATIN1"},
       "ERROR 22P05: character with byte sequence 0xe2 0x82 0xac in encoding \"UTF8\" has no equivalent in encoding "
       "\"LATIN1\""},
      {"convert_to", {"text=é", "name=UTF8"}, "\\xc3a9"},
      {"length", {"bytea=\\xc3a9", "name=utf8"}, "1"},
  });
}

TEST(BinaryFunctions, Digests) {
  expect_calls({
      {"md5", {"text="}, "d41d8cd98f00b204e9800998ecf8427e"},
      {"md5", {"text=abc"}, "900150983cd24fb0d6963f7d28e17f72"},
      {"md5", {"bytea=\\xff"}, "00594fd4f42ba43fc1ca0427a0576295"},
      {"sha224", {"bytea=abc"}, "\\x23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
      {"sha256", {"bytea="}, "\\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"sha384",
       {"bytea=abc"},
       "\\xcb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
      {"sha512",
       {"bytea=abc"},
       "\\xddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643c"
       "e80e2a9ac94fa54ca49f"},
  });
}

TEST(BinaryFunctions, Hashes) {
  expect_calls({
      {"hashtext", {"text="}, "-1477818771"},
      {"hashtext", {"text=abc"}, "-785388649"},
      {"hashtext", {"text=abcdefghijklmnop"}, "-2079749669"},
      {"hashtext", {"text=é"}, "-983094517"},
      {"hashbpchar", {"bpchar=abc  "}, "-785388649"},
      {"hashname", {"name=abc"}, "-785388649"},
      {"hashchar", {"char=\\377"}, "385747274"},
      {"hashint4", {"int4=-1"}, "385747274"},
      {"hashint4", {"int4=42"}, "1509752520"},
      {"hashint8", {"int8=42"}, "1509752520"},
      {"hashint8", {"int8=-1234567890123"}, "-1005977386"},
      {"uuid_hash", {"uuid=a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}, "1154666245"},
  });
}

TEST(BinaryFunctions, Comparisons) {
  expect_calls({
      {"<", {"bytea=\\x01", "bytea=\\xff"}, "t"},
      {"<", {"bytea=\\x01", "bytea=\\x0100"}, "t"},
      {"=", {"bytea=a", "bytea=\\x61"}, "t"},
  });
}

TEST(BinaryFunctions, Uuid) {
  expect_calls({
      {"=", {"uuid={a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}", "uuid=A0EEBC999C0B4EF8BB6D6BB9BD380A11"}, "t"},
      {"<", {"uuid=a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "uuid=b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}, "t"},
      {"=", {"uuid=zz", "uuid=zz"}, "ERROR 22P02: invalid input syntax for type uuid: \"zz\""},
      {"=",
       {"uuid=a0eebc-999c0b4ef8bb6d6bb9bd380a11", "uuid=a0eebc-999c0b4ef8bb6d6bb9bd380a11"},
       "ERROR 22P02: invalid input syntax for type uuid: \"a0eebc-999c0b4ef8bb6d6bb9bd380a11\""},
      {"=",
       {"uuid={a0eebc999c0b4ef8bb6d6bb9bd380a11", "uuid=a"},
       "ERROR 22P02: invalid input syntax for type uuid: \"{a0eebc999c0b4ef8bb6d6bb9bd380a11\""},
      {"=",
       {"uuid=a0eebc999c0b4ef8bb6d6bb9bd380a1", "uuid=a"},
       "ERROR 22P02: invalid input syntax for type uuid: \"a0eebc999c0b4ef8bb6d6bb9bd380a1\""},
  });
}

}  // namespace
}  // namespace polarsim::engine::test
