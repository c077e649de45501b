"""Pullcord, the andon cord on every phone in the plant. The map:

verbs, in the order of the road; none knows another
    capture   what was seen comes in          triage    the one queue
    dispatch  who must know, and who next     resolve   take it, fix it, prove it
nouns, known to all verbs
    anomaly   life, events, attachments       machines  sources, tags, alarm rules
    flows     what happens with a category    people    who, when, how reached      plant  sites to stations
technique, knows nothing of anomalies
    channels  ways to reach a person          kit       clock, database, pages, guard
main puts it together, tables lists the tables, settings is what an installation decides, demo is a plant to look at.
"""
