module drover.dev/golden

go 1.24
