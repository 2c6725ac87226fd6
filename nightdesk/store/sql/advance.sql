SELECT advance_positions(
    %(owner)s::text, %(consumers)s::text[], %(streams)s::text[], %(previous)s::text[], %(following)s::text[]
)
