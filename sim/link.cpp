#include "sim/link.h"

#include <algorithm>

namespace polarsim::sim {

LinkStatistics& LinkStatistics::operator+=(const LinkStatistics& other) {
  segments_sent += other.segments_sent;
  segments_delivered += other.segments_delivered;
  segments_dropped += other.segments_dropped;
  segments_in_flight += other.segments_in_flight;
  segments_lost += other.segments_lost;
  segments_corrupted += other.segments_corrupted;
  segments_held += other.segments_held;
  datagrams_sent += other.datagrams_sent;
  datagrams_delivered += other.datagrams_delivered;
  datagrams_lost += other.datagrams_lost;
  datagrams_cut += other.datagrams_cut;
  datagrams_overflowed += other.datagrams_overflowed;
  datagrams_unreceived += other.datagrams_unreceived;
  datagrams_in_flight += other.datagrams_in_flight;
  datagrams_duplicated += other.datagrams_duplicated;
  datagrams_reordered += other.datagrams_reordered;
  datagrams_corrupted += other.datagrams_corrupted;
  datagrams_held += other.datagrams_held;
  bytes_sent += other.bytes_sent;
  bytes_delivered += other.bytes_delivered;
  undetected_corruptions += other.undetected_corruptions;
  queue_delay_max = std::max(queue_delay_max, other.queue_delay_max);
  return *this;
}

}  // namespace polarsim::sim
