// Elementary functions whose results are the same bits on every machine and with every compiler.
//
// The C library picks its implementation by processor (with or without fused multiply-add), and the last bit may
// differ; a draw that passed through it would not replay elsewhere. These use only the IEEE operations + - * / and are
// accurate to a few units in the last place, which is plenty for sampling.
#pragma once

namespace polarsim::sim {

// Natural logarithm of a positive, finite, normal number.
double portable_log(double x);
// e to the x; 0 below -700, saturated above 700.
double portable_exp(double x);
// The cosine of `turns` full circles, for turns in [0, 1).
double portable_cos_turns(double turns);

}  // namespace polarsim::sim
