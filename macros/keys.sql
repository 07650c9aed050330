{#- Keys of rows that come from both companies: `meridian:810000946`, `halcyon:49acf48d-…`, `halcyon:49acf48d-…:2`. -#}
{% macro business_key(business, parts) -%}
    '{{ business }}'
    {%- for part in parts %} || ':' || cast({{ part }} as varchar(64)){% endfor %}
{%- endmacro %}
