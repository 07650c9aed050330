{#- Several columns are a key together: groups of them that occur more than once, or that hold a null. -#}
{% test unique_combination_of_columns(model, combination_of_columns) %}

select
    {{ combination_of_columns | join(', ') }},
    count(*) as row_count
from {{ model }}
group by {{ combination_of_columns | join(', ') }}
having
    count(*) > 1
    {%- for column in combination_of_columns %}
    or {{ column }} is null
    {%- endfor %}

{% endtest %}
