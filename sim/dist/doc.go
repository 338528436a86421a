// Package dist has the probability distributions of delays and other lengths of
// time in a simulation, drawn with integer arithmetic alone.
//
// A [Distribution] turns 64 random bits u into a duration: the quantile of
// p = u/2⁶⁴, as the inverse of its cumulative distribution function F. In what
// follows x is a duration, Φ is the standard normal distribution function, and a
// parameter that is no duration is in hundredths, so that Shape: 50 is k = 0.5.
//
//	Constant        F(x) = 1 from the duration on
//	Uniform         F(x) = (x − Low) / (High − Low)                all nanoseconds alike
//	Normal          F(x) = Φ((x − Mean) / SD)                      from Minimum on, 0 below
//	Exponential     F(x) = 1 − exp(−x / Mean)                      from 0 on
//	Weibull         F(x) = 1 − exp(−(x / Scale)^k)                 from 0 on, k is Shape
//	Pareto          F(x) = 1 − (Scale / x)^α                       from Scale on, α is Alpha
//	UncutLogNormal  F(x) = Φ(ln((x − Low) / (Median − Low)) / σ)   from Low on, σ is Sigma
//	NewLogNormal    the same, from its 1/2050 to its 1 − 1/2050 quantile
//	Empirical       F(q[i]) = i / (n − 1)                          straight lines between
//
// # What it guarantees
//
//   - The same bits give the same duration on every machine. No floating point
//     takes part, from the parameters to the draw. Tests pin draws of each
//     distribution, as the trace hashes of published runs depend on them.
//   - Draw is monotone: more in u is never less in the duration. So two runs that
//     differ in a parameter and share their bits can be compared draw by draw.
//   - Min is Draw(0), and no draw is less. None is negative, nor above [Max], at
//     which long tails are cut.
//   - Draws are rounded to a nanosecond, mostly down.
//
// # How exact it is
//
// Tails are as long as 64 bits allow: the largest draws are those which a real
// variable exceeds with a probability of 2⁻⁶⁴. NewLogNormal alone cuts them earlier.
//
// An exponential variable has no memory, so its quantiles are those of one
// half-life over and over: −log₂(1−p), a logarithm, counts half-lives. A table of
// log₂ over one octave serves them all, and the last of the 64 is as finely
// resolved as the first. Weibull and Pareto variables are powers of an exponential
// one, by a table of 2^x. The normal quantiles have a table with 32 cells for each
// octave of the tail. Between the entries of a table lie straight lines, which
// keep draws monotone.
//
// So a draw is the exact quantile of a probability that differs from p by less
// than a thousandth of 1−p, where that is at least 2⁻⁵⁰, and by less than a
// thousandth of p, where that is at least 2⁻³⁰.
package dist
