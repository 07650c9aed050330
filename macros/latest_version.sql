{#-
    The rows of `relation` with, for each key, only the version that was changed last. Of versions that were changed at
    the same moment (one row exported twice) the one from the later file counts.
-#}
{% macro latest_version(relation, key, changed_at='updated_at') -%}
    select *
    from (
        select
            versions.*,
            row_number() over (
                partition by {{ key }}
                order by {{ changed_at }} desc, loaded_at desc, source_file desc
            ) as version_rank
        from {{ relation }} as versions
    ) as ranked
    where version_rank = 1
{%- endmacro %}
