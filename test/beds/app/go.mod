module beds.drover.dev/app

go 1.21
