"""Writes tags.csv: short notes to a library's desk, with any number of topics.

python3 tags.py > tags.csv
"""

import random

random.seed(7)
topics = {
    "loans": ["renew my loan", "the book is overdue", "extend the due date", "return the novel late"],
    "fees": ["a fine was charged", "pay the fee", "refund of the charge", "the invoice is wrong"],
    "rooms": ["book a study room", "the reading room is loud", "reserve a desk", "the room was locked"],
    "catalogue": ["search finds nothing", "the title is not listed", "an author is misspelt", "the shelf mark is wrong"],
    "account": ["reset my password", "change my address", "my card expired", "cannot log in"],
    "events": ["sign up for the talk", "when does the workshop start", "the lecture is full", "a place at the course"],
}
starts = ["Hello,", "Please,", "Hi,", "Good morning,", "", "Sorry,"]
fillers = ["since Monday", "as every week", "on the second floor", "with my sister", "after the holidays", "by e-mail", "today"]
weights = [8, 5, 4, 3, 3, 2]
print("id,branch,note,topics")
for i in range(420):
    n = random.choices([0, 1, 2, 3], [1, 10, 6, 2])[0]
    chosen = []
    while len(chosen) < n:
        t = random.choices(list(topics), weights)[0]
        if t not in chosen:
            chosen.append(t)
    parts = [random.choice(topics[t]) for t in chosen] or [random.choice(["thank you for the help", "a nice place", "no question"])]
    random.shuffle(parts)
    note = " ".join([random.choice(starts), " and ".join(parts), random.choice(fillers)]).strip()
    if random.random() < 0.05 and len(chosen) > 1:
        chosen.pop()
    print(f'n{i + 1},{random.choice(["north", "south", "online"])},"{note}",{";".join(chosen) or "[]"}')
