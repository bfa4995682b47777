package report

// chinese are the words of the page, by the English that stands in the code.
var chinese = map[string]string{}

// chineseTold are sentences of other rooms, by the format that makes them; %s
// stands for whatever it wrote, in its order.
var chineseTold = []struct{ format, text string }{}
