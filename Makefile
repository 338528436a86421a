# What takes longer than go test ./... may; see README.

.PHONY: soak bench swarm experiments

# 200 whole scenarios, drawn from seeds: half a minute on 2 cores.
swarm:
	go run ./cmd/peernet sim swarm --seeds 1..200

# Published results, run again with all their seeds: about two hours on 2 cores.
experiments:
	go run ./cmd/peernet experiment check --all

# At the size and pace of the real thing: about 15 minutes on 2 cores.
soak:
	go test ./sim/swarm -count=1 -v -timeout 40m -mutants -swarm-seeds 1000
	go test ./realnet -count=1 -v -timeout 40m -soak -kill-rounds 200 -run 'Swarm|Hostile|Kill|Silent|Slow'

# The figures of the README.
bench:
	go test ./realnet -run '^$$' -bench 'Line|Saves' -benchtime 3s
	go test ./realnet -run '^$$' -bench 'Book' -benchtime 5000x
	go test ./realnet -run '^$$' -bench 'SlowReader' -benchtime 3x
	go test ./realnet -count=1 -v -run MemoryOfIdleConnections
	go test ./sim/scenario -run '^$$' -bench 'Flood/.*/nodes=100000' -benchtime 1x
