// Pins the Prometheus operator, whose definitions of kinds the tests of the chart install; nothing is compiled.
module port-hardening/prometheusoperator

go 1.21

require github.com/prometheus-operator/prometheus-operator v0.85.0
