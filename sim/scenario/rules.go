package scenario

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"peernet/actors/wire"
	"peernet/sim"
)

// A rule says what one key accepts, whatever the others are. What the reference says in
// words stands here for the program: it checks scenarios, and writes the schema.
type rule struct {
	words     []string // that the key accepts; nil is not a key of words
	low, high int64    // in the unit of the key's type; high 0 is without limit
	required  string   // of an item: what to write, if the key is left out
	auto      bool     // zero, or left out, stands for what depends on other keys
}

// rules are those of the keys; items of lists are written with []. A number without a
// rule must not be negative.
var rules = map[string]rule{
	"nodes":         {low: 2, high: sim.NodesMax},
	"duration":      {low: int64(time.Millisecond), high: int64(durationMax), auto: true},
	"wire":          {words: []string{WireTyped, WireEncoded}},
	"latency.model": {words: []string{Constant, Uniform, LogNormal}},
	"latency.per":   {words: []string{PerLink, PerMessage}},
	"latency.min":   {low: 1},

	"regions[].name":   {required: "any name, or one of the table: " + strings.Join(RegionNames(), ", ")},
	"regions[].weight": {high: weightMax},
	"rtt[].from":       {required: "a region"},
	"rtt[].to":         {required: "a region"},
	"rtt[].rtt":        {high: int64(wayMax)},
	"rtt[].delay":      {high: int64(wayMax)},

	"network.loss":       {high: int64(lossMax)},
	"network.retransmit": {low: int64(time.Millisecond), high: int64(time.Minute)},
	"network.attempts":   {low: 1, high: 20},
	"network.dial_twice": {high: whole},
	"network.reorder":    {high: int64(time.Minute)},
	"conditions[].until": {required: "when it ends, such as 80%"},
	"conditions[].delay": {high: int64(wayMax)},
	"conditions[].loss":  {high: whole},

	"overlay":        {words: []string{OverlayGossip, OverlayStatic}},
	"bootstraps":     {low: 1, high: sim.NodesMax},
	"known":          {low: 1, high: sim.NodesMax},
	"arrival_model":  {words: []string{ArriveUniform, ArriveRamp, ArrivePoisson}},
	"crowds[].share": {low: 1, high: whole, required: "how many of the nodes, such as 10%"},
	"churn.leave":    {words: []string{LeaveGoodbye, LeaveReset, LeaveSilence}},
	"churn.book":     {words: []string{BookKept, BookSynced, BookLost}},

	"classes[].name":        {required: "any name"},
	"classes[].weight":      {high: weightMax},
	"classes[].queue":       {low: int64(time.Millisecond), high: int64(time.Hour)},
	"classes[].processing":  {high: int64(time.Minute)},
	"classes[].clock_skew":  {high: int64(24 * time.Hour)},
	"classes[].clock_drift": {high: int64(100 * time.Millisecond)},
	"classes[].reach":       {words: reachNames(), auto: true},
	"reach.public":          {high: weightMax},
	"reach.full_cone":       {high: weightMax},
	"reach.restricted":      {high: weightMax},
	"reach.port_restricted": {high: weightMax},
	"reach.symmetric":       {high: weightMax},
	"reach.blocked":         {high: weightMax},

	"faults[].kind":  {words: faultKinds, required: "one of " + strings.Join(faultKinds, ", ")},
	"faults[].share": {low: 1, high: whole},
	"faults[].leave": {words: []string{LeaveReset, LeaveSilence}},
	"faults[].book":  {words: []string{BookKept, BookSynced, BookLost}},
	"faults[].slow":  {high: int64(time.Minute)},

	"adversaries[].role":  {words: roleNames(), required: "one of " + strings.Join(roleNames(), ", ")},
	"adversaries[].count": {low: 1, high: sim.NodesMax},
	"adversaries[].rate":  {high: 1_000_000},
	"adversaries[].delay": {high: int64(time.Hour)},

	"connections":   {low: 1, high: connectionsMax},
	"inbound_max":   {low: 1, high: inboundMax},
	"hops_max":      {low: 1, high: 1 << 20},
	"book":          {low: 1, high: 1 << 20},
	"exchange":      {low: 1, high: wire.AddressesMax},
	"interval":      {low: int64(time.Millisecond)},
	"refresh":       {low: int64(time.Millisecond)},
	"purge":         {low: int64(time.Millisecond)},
	"hello_timeout": {low: int64(time.Millisecond)},
	"keep_alive":    {low: int64(time.Millisecond)},
	"rate_max":      {low: 1, high: 1 << 24},
	"routes_max":    {low: 1, high: 1 << 24},

	"messages":               {high: requestsMax},
	"payload":                {low: payloadMin, high: wire.DataMax},
	"searches":               {high: requestsMax},
	"workload[].kind":        {words: []string{SendAnnounce, SendSearch}},
	"workload[].count":       {low: 1, high: requestsMax, required: "how many, such as 100"},
	"workload[].pace":        {words: []string{PaceEven, PacePoisson, PaceBurst}},
	"workload[].payload_min": {low: payloadMin, high: wire.DataMax},
	"workload[].payload_max": {low: payloadMin, high: wire.DataMax},

	"checks.goals[].goal":  {words: goalKinds, required: "one of " + strings.Join(goalKinds, ", ")},
	"checks.goals[].least": {high: whole},
	"sample":               {low: int64(10 * time.Millisecond)},
}

// The bounds of keys that are named elsewhere too.
const (
	connectionsMax = 1000
	inboundMax     = 10000
	weightMax      = 1_000_000
	requestsMax    = 1 << 20
	payloadMin     = 16 // room for its number
	durationMax    = Duration(1000 * time.Hour)
	// wayMax is the longest delay between regions.
	wayMax = Duration(time.Minute)
	// lossMax is the most that can be lost for long.
	lossMax Share = 500_000
)

// indexed is what an item's number is written as in a key.
var indexed = regexp.MustCompile(`\[[0-9]+\]`)

// ruleOf is the rule of a key, such as faults[2].kind.
func ruleOf(key string) rule { return rules[indexed.ReplaceAllString(key, "[]")] }

// checkRules holds each key against its rule.
func (s *Scenario) checkRules() error {
	return s.eachKey("", reflect.ValueOf(s).Elem(), func(key string, v reflect.Value) error {
		r := ruleOf(key)
		if r.required != "" && v.IsZero() {
			if _, set := s.explicit[key]; !set || v.Kind() == reflect.String && v.String() == "" {
				return s.fails(key, "is missing: %s", r.required)
			}
		}
		if r.words != nil && (!r.auto || v.String() != "") {
			return s.checkWord(key, v.String(), r.words)
		}
		n, ok := number(v)
		if !ok || r.auto && n == 0 || n >= r.low && (r.high == 0 || n <= r.high) {
			return nil
		}
		return s.fails(key, "%v, must %s", v.Interface(), r.bounds(v.Type()))
	})
}

// eachKey visits the keys that take a single value, in the order of the reference.
func (s *Scenario) eachKey(key string, v reflect.Value, visit func(string, reflect.Value) error) error {
	switch {
	case v.Type() == reflect.TypeFor[Draw](): // see checkDraw
		return nil
	case isGroup(v):
		if key != "" {
			key += "."
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				if err := s.eachKey(key+f.Tag.Get("yaml"), v.Field(i), visit); err != nil {
					return err
				}
			}
		}
		return nil
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			if err := s.eachKey(fmt.Sprintf("%s[%d]", key, i), v.Index(i), visit); err != nil {
				return err
			}
		}
		return nil
	}
	return visit(key, v)
}

// number is what a rule bounds of a value, if it does.
func number(v reflect.Value) (int64, bool) {
	if v.Type() == reflect.TypeFor[Fanout]() || !v.CanInt() { // its notation has no other values
		return 0, false
	}
	return v.Int(), true
}

// bounds says what a value of a type must be.
func (r rule) bounds(t reflect.Type) string {
	text := func(n int64) string {
		if t == reflect.TypeFor[Duration]() {
			return brief(Duration(n))
		}
		return fmt.Sprint(reflect.ValueOf(n).Convert(t).Interface())
	}
	switch {
	case r.high != 0:
		return fmt.Sprintf("be from %s to %s", text(r.low), text(r.high))
	case r.low == 0:
		return "not be negative"
	case r.low == 1:
		return "be positive"
	}
	return "be at least " + text(r.low)
}

// brief is a duration without the units that are zero.
func brief(d Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// checkWord holds a word against those that a key accepts.
func (s *Scenario) checkWord(key, v string, accept []string) error {
	if !slices.Contains(accept, v) {
		return s.fails(key, "%q is none of %v%s", v, accept, nearest(v, accept))
	}
	return nil
}

// drawParameters are the keys that each model of a [Draw] has.
var drawParameters = map[string][]string{
	None:        nil,
	Constant:    {"min"},
	Uniform:     {"min", "max"},
	Normal:      {"min", "mean", "sd"},
	LogNormal:   {"min", "median", "sigma"},
	Exponential: {"mean"},
	Weibull:     {"scale", "shape"},
	Pareto:      {"min", "shape"},
	Empirical:   {"quantiles"},
}

// checkDraw checks a distribution whose median must be at least so much, if there is
// one.
func (s *Scenario) checkDraw(key string, d *Draw, least time.Duration) error {
	if d.Model != "" {
		if err := s.checkWord(key+".model", d.Model, drawModels); err != nil {
			return err
		}
	}
	group := reflect.ValueOf(d).Elem()
	for i, name := range keysOf(group) {
		if name == "model" || group.Field(i).IsZero() || slices.Contains(drawParameters[d.Model], name) {
			continue
		}
		if !d.set() {
			return s.fails(key, "has parameters, and no model: add model: exponential, or another of %v", drawModels[1:])
		}
		return s.fails(key+"."+name, "has no meaning with model: %s, which has %s", d.Model, strings.Join(drawParameters[d.Model], ", "))
	}
	out, err := d.distribution()
	switch {
	case err != nil:
		return s.fails(key, "%v", err)
	case out != nil && out.Draw(math.MaxInt64+1) < least:
		return s.fails(key, "its median is %v, must be at least %v", out.Draw(math.MaxInt64+1), least)
	}
	return nil
}
