{#- What makes two accounts belong to one person. Empty text identifies nobody, hence null. -#}

{% macro normalised_email(email) -%}
    nullif(lower(trim({{ email }})), '')
{%- endmacro %}

{% macro normalised_name(name) -%}
    nullif(lower(trim({{ name }})), '')
{%- endmacro %}

{% macro normalised_postcode(postcode) -%}
    nullif(upper(replace({{ postcode }}, ' ', '')), '')
{%- endmacro %}
