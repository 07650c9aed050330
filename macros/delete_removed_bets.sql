{#- Post-hook of the incremental facts: a bet deleted at its source since the last run vanishes from the fact. -#}
{% macro delete_removed_bets(fact) -%}
    {%- set deleted_bets = ref('int_deleted_bets') -%}
    {%- if is_incremental() -%}
        delete from {{ fact }} where bet_key in (select bet_key from {{ deleted_bets }})
    {%- endif -%}
{%- endmacro %}
