// Where scripts/setup.sh takes the definition of ClusterReport from; nothing here is built.
module openreports

go 1.24.2

require github.com/openreports/reports-api v0.2.1
