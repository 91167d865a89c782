// An empty file of assembly lets functions.go declare a function whose body is elsewhere.
