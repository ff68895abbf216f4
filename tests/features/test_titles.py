import pandas as pd
import pytest

from leadml.features.titles import compute_function, compute_seniority

ENGLISH = """
    VP of Sales                         | vp         | sales
    Senior Vice President, Operations   | vp         | operations
    Assistant to the CEO                | assistant  | administration
    Executive Assistant                 | assistant  | administration
    Assistant Marketing Manager         | manager    | marketing
    Sales Director                      | director   | sales
    Founder & CEO                       | owner      | general_management
    Co-Founder and CTO                  | owner      | it
    C.E.O.                              | c_level    | general_management
    President                           | c_level    | general_management
    Chief Financial Officer             | c_level    | finance
    Chief Information Security Officer  | c_level    | it
    Chief of Staff                      | manager    | other
    Head of HR                          | head       | hr
    Head of Student Services            | head       | other
    Product Owner                       | specialist | product
    Product Marketing Manager           | manager    | marketing
    Procurement Specialist              | specialist | procurement
    Customer Success Manager            | manager    | support
    General Counsel                     | specialist | legal
    Software Engineer                   | specialist | engineering
    R&D Engineer                        | specialist | research
    Marketing Intern                    | student    | marketing
    International Tax Manager           | manager    | finance
    Retired                             | other      | other
"""
GERMAN = """
    Geschäftsführerin                   | c_level    | general_management
    GESCHAEFTSFUEHRER                   | c_level    | general_management
    Mitglied der Geschäftsleitung       | c_level    | general_management
    Leiter Einkauf                      | head       | procurement
    Leiter:in Personal                  | head       | hr
    Leiter/in Marketing (m/w/d)         | head       | marketing
    Leiter der IT                       | head       | it
    IT-Leiter                           | head       | it
    Vertriebsleiterin                   | head       | sales
    Technischer Leiter                  | head       | engineering
    Teamleiterin Kundenservice          | manager    | support
    Produktmanagerin                    | manager    | product
    Inhaberin                           | owner      | general_management
    Gründer                             | owner      | general_management
    Prokuristin                         | director   | other
    Sachbearbeiterin Buchhaltung        | specialist | finance
    Einkäufer                           | specialist | procurement
    Softwareentwicklerin                | specialist | engineering
    Assistentin der Geschäftsführung    | assistant  | administration
    Vorstandsassistentin                | assistant  | administration
    Werkstudent                         | student    | other
    Werkstudentin Marketing             | student    | marketing
    Rechtsanwalt                        | specialist | legal
"""
POLISH = """
    Prezes zarządu                      | c_level    | general_management
    Wiceprezeska                        | vp         | general_management
    Właścicielka                        | owner      | general_management
    Współwłaściciel                     | owner      | general_management
    Dyrektor generalny                  | c_level    | general_management
    Dyrektor finansowy                  | director   | finance
    Dyrektorka marketingu               | director   | marketing
    Dyrektor ds. IT                     | director   | it
    Kierownik sprzedaży                 | manager    | sales
    Kierowniczka działu kadr            | manager    | hr
    Specjalistka ds. zakupów            | specialist | procurement
    Specjalista ds. obsługi klienta     | specialist | support
    Główny księgowy                     | specialist | finance
    Radca prawny                        | specialist | legal
    Programista                         | specialist | engineering
    Asystentka zarządu                  | assistant  | administration
    Stażystka                           | student    | other
"""
FRENCH = """
    PDG                                 | c_level    | general_management
    Directrice générale                 | c_level    | general_management
    Vice-présidente                     | vp         | general_management
    Directeur commercial                | director   | sales
    Directrice financière               | director   | finance
    DRH                                 | director   | hr
    DSI                                 | director   | it
    Fondatrice                          | owner      | general_management
    Gérant                              | owner      | general_management
    Chef des ventes                     | head       | sales
    Chef de produit                     | manager    | product
    Responsable des achats              | manager    | procurement
    Comptable                           | specialist | finance
    Acheteuse                           | specialist | procurement
    Juriste                             | specialist | legal
    Ingénieur R&D                       | specialist | engineering
    Chargée de communication            | specialist | marketing
    Assistante de direction             | assistant  | administration
    Stagiaire                           | student    | other
"""
SPANISH = """
    Directora general                   | c_level    | general_management
    Consejero delegado                  | c_level    | general_management
    Vicepresidenta de operaciones       | vp         | operations
    Director financiero                 | director   | finance
    Directora de marketing              | director   | marketing
    Jefa de compras                     | head       | procurement
    Jefe de operaciones                 | head       | operations
    Gerente de ventas                   | manager    | sales
    Responsable de recursos humanos     | manager    | hr
    Dueña                               | owner      | general_management
    Propietario                         | owner      | general_management
    Ingeniera de software               | specialist | engineering
    Analista de datos                   | specialist | it
    Abogada                             | specialist | legal
    Contable                            | specialist | finance
    Investigadora                       | specialist | research
    Asistente administrativa            | assistant  | administration
    Becario                             | student    | other
"""


def rows(table):
    return [tuple(map(str.strip, line.split("|"))) for line in table.strip().splitlines()]


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(ENGLISH, id="english"),
        pytest.param(GERMAN, id="german"),
        pytest.param(POLISH, id="polish"),
        pytest.param(FRENCH, id="french"),
        pytest.param(SPANISH, id="spanish"),
    ],
)
def test_titles_of_a_language(table):
    titles, seniorities, functions = map(list, zip(*rows(table), strict=True))
    got_seniorities = compute_seniority(pd.Series(titles)).tolist()
    got_functions = compute_function(pd.Series(titles)).tolist()
    expected = list(zip(titles, seniorities, functions, strict=True))
    assert list(zip(titles, got_seniorities, got_functions, strict=True)) == expected


def test_capitals_accents_and_white_space_do_not_matter():
    variants = pd.Series(["Kierownik sprzedaży", "  KIEROWNIK   SPRZEDAZY ", "kierownik-sprzedaży"])
    assert compute_seniority(variants).tolist() == ["manager"] * 3
    assert compute_function(variants).tolist() == ["sales"] * 3


def test_words_count_only_when_whole():
    titles = pd.Series(["Headhunterin", "Internationalist", "Ceol musician", "Vpn", "Itinerant"])
    assert compute_seniority(titles).tolist() == ["other"] * 5
    assert compute_function(titles[[4]]).tolist() == ["other"]


def test_missing_and_wordless_titles_are_nan():
    titles = pd.Series(["CEO", None, "", "--"], index=list("abcd"), name="job")
    for got in (compute_seniority(titles), compute_function(titles)):
        assert got.isna().tolist() == [False, True, True, True]
        assert got.index.equals(titles.index)
        assert got.name == "job"


def test_a_column_without_any_title_stays_missing():
    for compute in (compute_seniority, compute_function):
        assert compute(pd.Series([None, None], dtype=object)).isna().all()
        assert compute(pd.Series([], dtype="str")).empty
