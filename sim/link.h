// A directed link between two hosts: how it treats what crosses it, and what it has seen.
//
// Transmission. Each directed link has one transmitter, which everything from one host to the other shares: bytes leave
// in order of being handed over, at the link's bandwidth, then travel for one draw of the latency. Only payload is
// charged; a segment without payload waits for its turn but takes no time. Repeated transmissions of a lost segment are
// charged right behind the first, although they leave later, so that the link never carries more than its bandwidth. A
// change of bandwidth does not hasten what was handed over before. A host that loses its power loses what its
// transmitters have not sent.
//
// Damage. `corruption` flips bits on the way. The checksum notices, and the transmission counts as lost; but for the
// share `undetected_corruption` of damaged payloads, in which two bits arrive flipped: the 16-bit sum of TCP and UDP
// misses some such pairs (Stone and Partridge, "When the CRC and TCP Checksum Disagree", 2000).
#pragma once

#include <cstdint>

#include "sim/distribution.h"
#include "sim/time.h"

namespace polarsim::sim {

struct LinkParameters {
  DurationDistribution latency = DurationDistribution::uniform(Duration(200'000), Duration(600'000));
  std::uint64_t bandwidth_bytes_per_s = 1'250'000'000;  // 10 Gbit/s; 0 is unlimited
  // Probability that one transmission is lost. Of a segment at most thirty are lost in a row, so that it arrives even
  // with 1, thirty timeouts late: a link that shall carry nothing must be cut.
  double loss = 0;
  Duration retransmission_timeout{200'000'000};  // streams: Linux's TCP_RTO_MIN
  double corruption = 0;                         // probability that one transmission is damaged
  double undetected_corruption = 0;              // of a damaged one: that the checksum misses it

  // Datagrams alone. Without `reordering` they arrive in order of sending, however the latency is spread.
  double duplication = 0;                           // probability that a second copy arrives, one more latency later
  double reordering = 0;                            // probability of a detour, during which others overtake
  Duration reordering_delay{1'000'000};             // a detour takes uniformly up to this
  Duration datagram_queue_limit = Duration::max();  // one that would wait longer for the transmitter is dropped
};

// Counters since the start of the run, and what is under way now. For segments
//     sent = delivered + dropped + in flight
// and for datagrams
//     sent + duplicated = delivered + lost + cut + overflowed + unreceived + in flight.
struct LinkStatistics {
  // Streams: segments of connections, handshakes and resets included.
  std::uint64_t segments_sent = 0;
  std::uint64_t segments_delivered = 0;
  std::uint64_t segments_dropped = 0;    // their connection ended before they arrived, or nobody wanted them
  std::uint64_t segments_in_flight = 0;  // now, those held by cuts and clogs included
  std::uint64_t segments_lost = 0;       // transmissions lost and repeated
  std::uint64_t segments_corrupted = 0;  // transmissions damaged; all but the undetected are among the lost
  std::uint64_t segments_held = 0;       // times that a pipe met a cut or a clog

  std::uint64_t datagrams_sent = 0;
  std::uint64_t datagrams_delivered = 0;   // into a receive buffer
  std::uint64_t datagrams_lost = 0;        // by `loss`, by damage, or with the power of the sender
  std::uint64_t datagrams_cut = 0;         // met a cut
  std::uint64_t datagrams_overflowed = 0;  // the transmitter's queue or the receive buffer was full
  std::uint64_t datagrams_unreceived = 0;  // the host was down, or had no socket of that port
  std::uint64_t datagrams_in_flight = 0;   // now, those held by clogs included
  std::uint64_t datagrams_duplicated = 0;  // second copies made
  std::uint64_t datagrams_reordered = 0;   // delivered after one that was sent later (RFC 4737)
  std::uint64_t datagrams_corrupted = 0;   // damaged; all but the undetected are among the lost
  std::uint64_t datagrams_held = 0;        // times that one met a clog

  std::uint64_t bytes_sent = 0;  // payload of both kinds, each once
  std::uint64_t bytes_delivered = 0;
  std::uint64_t undetected_corruptions = 0;  // of both kinds, delivered
  Duration queue_delay_max{0};               // longest wait for the transmitter

  // Adds the counters; of the longest waits, takes the longer.
  LinkStatistics& operator+=(const LinkStatistics& other);
};

}  // namespace polarsim::sim
