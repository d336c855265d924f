# Time series that R and Debian's r-cran-surveillance bring with them, as CSV files for `everyday.py`:
#   apt-get install r-base-core r-cran-surveillance && Rscript tests/benchmarks/everyday.R FOLDER
suppressMessages(library(surveillance))
folder <- commandArgs(TRUE)[1]
dir.create(folder, showWarnings = FALSE, recursive = TRUE)

written <- function(name, values, begin, by) {
  values <- as.matrix(values)
  days <- seq(as.Date(begin), by = by, length.out = nrow(values))
  ids <- if (is.null(colnames(values))) seq_len(ncol(values)) else colnames(values)
  long <- data.frame(unique_id = rep(ids, each = nrow(values)), ds = days, y = as.numeric(values))
  write.csv(long, file.path(folder, paste0(name, ".csv")), row.names = FALSE, na = "")
}

steps <- c("1" = "year", "4" = "quarter", "12" = "month", "52" = "week")
for (name in c("AirPassengers", "austres", "co2", "discoveries", "JohnsonJohnson", "LakeHuron", "ldeaths", "lynx", "nhtemp", "Nile",
               "nottem", "sunspot.month", "sunspot.year", "UKDriverDeaths", "UKgas", "USAccDeaths")) {
  series <- get(name)
  month <- 1 + round((start(series)[2] - 1) * 12 / frequency(series))
  written(name, series, sprintf("%d-%02d-01", start(series)[1], month), steps[[as.character(frequency(series))]])
}
written("treering", tail(treering, 700), "1280-01-01", "year")
written("VanKilled", Seatbelts[, "VanKilled"], "1969-01-01", "month")
written("BJsales", BJsales, "2001-01-01", "day") # days and minutes without a date
written("WWWusage", WWWusage, "2001-01-01", "day")
written("EuStockMarkets", EuStockMarkets, "1991-07-01", "day") # business days, one behind the other

# cases of a disease, a week or a month; the dates are not those of the data where these give none
for (name in c("abattoir", "fluBYBW", "ha", "hepatitisA", "influMen", "measlesDE", "measlesWeserEms", "meningo.age", "rotaBB",
               "salmHospitalized", "salmNewport", "salmonella.agona", "shadar")) {
  data(list = name)
  found <- get(name)
  counts <- if (is(found, "sts")) observed(found) else found$observed
  frequency <- if (is(found, "sts")) found@freq else found$freq
  written(name, counts, "2001-01-01", steps[[as.character(frequency)]])
}
data(campyDE)
written("campyDE", campyDE$case, campyDE$date[1], "week")
