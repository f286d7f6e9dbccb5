"""Fifty questions about five texts, written for these tests: no model was trained on them."""

from __future__ import annotations

ASKED = [
    (
        "Dunmore Point Lighthouse was built in 1861 by the engineer Agnes Tully, who had come to "
        "the island to count seabirds. Its tower is 34 metres high and painted in red and white "
        "bands. Until 1922 the lamp burned whale oil, which three keepers carried up 188 steps "
        "every evening; then it was changed to electric light, fed by a small water mill on the "
        "Corrin river. The last keeper, Tomás O'Brien, left on 3 March 1987, when the lamp was "
        "made automatic. In a storm in 2004 the sea broke the eastern wall, and for eleven months "
        "ships were warned by a buoy instead. Today the keepers' house is a café, and on the "
        "ground floor a museum shows Tully's notebooks with her drawings of puffins, terns and "
        "shearwaters. About 9,000 people visit it each summer, most of them by the ferry from "
        "Kilbride, which takes forty minutes.",
        {
            "Who built the lighthouse?": "Agnes Tully",
            "When was the lighthouse built?": "1861",
            "Why had Tully come to the island?": "to count seabirds",
            "How high is the tower?": "34 metres",
            "What did the lamp burn until 1922?": "whale oil",
            "How many steps did the keepers climb?": "188",
            "Which river drives the water mill?": "Corrin",
            "Who was the last keeper?": "Tomás O'Brien",
            "What warned the ships after the storm?": "a buoy",
            "From where does the ferry leave?": "Kilbride",
        },
    ),
    (
        "Sourdough bread rises without baker's yeast. Its starter is a paste of flour and water in "
        "which wild yeasts and lactic acid bacteria live together: the yeasts make the gas that "
        "lifts the dough, and the bacteria make the acids that give it its taste and keep mould "
        "away. A baker feeds the starter with fresh flour once a day, or once a week if it is kept "
        "in a refrigerator. In Altenau the Köhler bakery has kept the same starter since 1908; "
        "during the war Frieda Köhler carried it in a jar through two countries. The dough of her "
        "grandson Paul is made of rye, ferments for eighteen hours at 26 degrees and is baked on "
        "stone at 240 degrees for an hour. He sells six hundred loaves on a Saturday. What remains "
        "on Sunday goes to the farm of Ilse Brandt, whose pigs are said to prefer it to maize.",
        {
            "What is a starter made of?": "flour and water",
            "What lifts the dough?": "gas",
            "What do the bacteria make?": "acids",
            "How often is a starter in a refrigerator fed?": "once a week",
            "Since when has the bakery kept its starter?": "1908",
            "Who carried the starter in a jar?": "Frieda Köhler",
            "Which grain does Paul use?": "rye",
            "How long does the dough ferment?": "eighteen hours",
            "How many loaves are sold on a Saturday?": "six hundred",
            "To whose farm does the old bread go?": "Ilse Brandt",
        },
    ),
    (
        "An octopus has three hearts. Two of them pump blood through the gills, and the third "
        "sends it round the body; while the animal swims, this one stands still, which is why an "
        "octopus rather crawls. The blood is blue, because it carries oxygen by means of copper, "
        "where ours uses iron. About two thirds of its neurons lie in the arms, so that an arm can "
        "taste, feel and grasp for itself. The skin holds thousands of small bags of colour, each "
        "opened by a ring of muscles, and within a second the animal looks like sand or weed. When "
        "a seal attacks, it leaves a cloud of ink and flees backwards through a jet of water. Most "
        "species live for one to three years. The female lays her eggs in a cave, guards them for "
        "months without eating, fans them with fresh water, and dies when they hatch.",
        {
            "How many hearts does an octopus have?": "three",
            "What do two of the hearts do?": "pump blood through the gills",
            "Which colour is the blood?": "blue",
            "Which metal carries the oxygen of an octopus?": "copper",
            "Which metal does our blood use?": "iron",
            "Where are most of its neurons?": "in the arms",
            "What opens the bags of colour?": "a ring of muscles",
            "What does it leave when a seal attacks?": "a cloud of ink",
            "How long do most species live?": "one to three years",
            "Where does the female lay her eggs?": "in a cave",
        },
    ),
    (
        "The Velm Valley Railway climbs 612 metres in only nine kilometres. When it was opened on "
        "14 May 1896, it was the steepest line in the country, and the first whose engines held to "
        "a toothed rail. Its builder, Marius Delacroix, had been a maker of clocks; he is said to "
        "have drawn the wheels at his kitchen table. The line carries slate from the quarry of "
        "Upper Velm to the harbour, and since 1931 passengers too. There are four tunnels, the "
        "longest of 740 metres, and a bridge of larch wood over the Senn, which burned down in "
        "1948 and was built anew in stone. In winter snow is cleared by a plough that two engines "
        "push. The journey takes 52 minutes up and, to spare the brakes, 65 minutes down. A ticket "
        "costs 18 francs; children below six travel free, as do goats, by an old rule that nobody "
        "has dared to strike out.",
        {
            "How far does the railway climb?": "612 metres",
            "When was the railway opened?": "14 May 1896",
            "Who built the railway?": "Marius Delacroix",
            "What had the builder been before?": "a maker of clocks",
            "What does the line carry from the quarry?": "slate",
            "Since when does it carry passengers?": "1931",
            "How long is the longest tunnel?": "740 metres",
            "Which river does the bridge cross?": "Senn",
            "How long does the journey down take?": "65 minutes",
            "What does a ticket cost?": "18 francs",
        },
    ),
    (
        "For forty years the schoolteacher Halvard Lie collected the words of the fishermen of "
        "Nordvik. He wrote each on a card, with the name of the person who had said it, the boat "
        "and the day, and kept the cards in herring boxes under his bed. There are 23,417 of them. "
        "Some words name things for which others have none: a skrimt is the light that the sea "
        "throws under a bridge, and lodde the silence before a net is drawn. After his death in "
        "1973 his sister Berit gave the boxes to the university in Trondheim, where they lay in a "
        "cellar until the linguist Sunniva Dahl found them in 1999, while she was looking for a "
        "bicycle. With six students and a grant of two million crowns she typed them all. The "
        "dictionary came out in 2011 in three volumes; its last entry is ørken, which in Nordvik "
        "means not a desert but a day without fish.",
        {
            "Who collected the words?": "Halvard Lie",
            "What was Lie's profession?": "schoolteacher",
            "Where did he keep the cards?": "herring boxes",
            "How many cards are there?": "23,417",
            "What is the light under a bridge called?": "skrimt",
            "Who gave the boxes to the university?": "Berit",
            "Who found the boxes in the cellar?": "Sunniva Dahl",
            "What was the linguist looking for?": "a bicycle",
            "How many volumes does the dictionary have?": "three",
            "What is the last entry?": "ørken",
        },
    ),
]

PAIRS = [(question, context) for context, answers in ASKED for question in answers]
