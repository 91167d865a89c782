module outrigger/go-parity

go 1.26
